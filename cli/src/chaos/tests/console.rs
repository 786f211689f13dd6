//! Commands as text.

use super::super::console;
use super::{Net, soon};

#[tokio::test]
async fn the_console_answers_line_by_line_and_goes_on_after_a_bad_one() {
    let net = Net::new().await;
    let (_client, _server) = net.connected().await;
    let upstream = net.upstream.local_addr().unwrap();
    let long = "x".repeat(100_000);
    let input = format!(
        "delay 5 1\r\n\n# a remark\nexplode\n{long}\n\u{1b}[2J\nblackhole on up\nrate 9\nrefuse on\naccept-then-drop on\n\
         status\ndrop\nheal\nstatus"
    );
    let mut output = Vec::new();
    soon(console(net.control.clone(), input.as_bytes(), &mut output)).await.unwrap();
    let output = String::from_utf8(output).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 12, "{output}");
    assert_eq!(lines[0], "ok");
    assert!(lines[1].starts_with("error: unexpected \"explode\": allowed is delay, "), "{output}");
    assert!(lines[2].starts_with("error: unexpected \"xxx") && lines[2].len() < 200, "{output}");
    assert!(lines[3].starts_with("error: unexpected \"\\u{1b}[2J\""), "{output}");
    assert_eq!(lines[4..8], ["ok"; 4]);
    assert_eq!(
        lines[8],
        format!(
            "upstream {upstream}, delay 5 1, rate 9, refuse on, accept-then-drop on, blackhole on up; live 1, \
             accepted 1, dropped 0, reset 0, upstream unreachable 0; 0 bytes up, 0 bytes down"
        )
    );
    assert_eq!(lines[9..11], ["ok, 1 connection ended", "ok"]);
    assert_eq!(
        lines[11],
        format!(
            "upstream {upstream}, no faults; live 0, accepted 1, dropped 1, reset 0, upstream unreachable 0; 0 bytes \
             up, 0 bytes down"
        )
    );
    drop(net.proxy);
    let mut output = Vec::new();
    soon(console(net.control, &b"heal\nheal\n"[..], &mut output)).await.unwrap();
    assert_eq!(output, b"error: the proxy has stopped\n");
}
