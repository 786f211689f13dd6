//! Instructions, counted by valgrind's callgrind: this program runs itself under it.

use std::process::{Command, Stdio};

/// `rep stos` and `rep movs` count as one instruction for each byte, so glibc is told to fill and copy without them.
const TUNABLES: &str = "glibc.cpu.x86_rep_stosb_threshold=1000000000:glibc.cpu.x86_rep_movsb_threshold=1000000000";

/// All instructions of `bench ARGUMENTS…` in user space, from its start to its end, its own children excluded.
pub(crate) fn instructions(arguments: &[&str]) -> u64 {
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .env("GLIBC_TUNABLES", TUNABLES)
        .stdin(Stdio::null())
        .output()
        .expect("valgrind is installed");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bench {} failed: {log}", arguments.join(" "));
    let collected = log.lines().find_map(|line| line.split_once("Collected : "));
    collected.and_then(|(_, count)| count.trim().parse().ok()).unwrap_or_else(|| panic!("no count in {log}"))
}

/// Runs both, each in its own thread: an instruction count doesn't depend on what else the machine does.
pub(crate) fn in_parallel<A: Send, B: Send>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        (first.join().expect("the first run"), second)
    })
}
