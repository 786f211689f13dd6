//! Traces: reading, errors, replay.

#![cfg(feature = "trace")]
#![allow(clippy::unwrap_used)]

use redial::trace::Trace;

const HEADER: &str = r#"{"redial":1,"policy":{"jitter":false},"seed":1,"endpoints":1}"#;

fn refused(lines: &str) -> String {
    Trace::parse(lines).unwrap_err().to_string()
}

fn refused_line(line: &str) -> String {
    refused(&format!("{HEADER}\n\n{line}\n"))
}

#[test]
fn errors_name_the_line_and_what_is_allowed() {
    assert_eq!(refused(""), "trace line 1: a header is missing");
    assert!(refused("{\"redial\":2,\"seed\":1}").contains("line 1: redial: version 2 is not allowed; allowed: 1"));
    assert!(refused("{\"redial\":1}").contains("line 1: missing field `seed`"));
    assert!(refused("{\"redial\":1,\"seed\":1,\"endpoints\":0}").contains("line 1"));
    assert!(refused("{\"redial\":1,\"seed\":1,\"sed\":0}").contains("unknown field `sed`"));
    assert!(refused("{\"redial\":1,\"seed\":1,\"policy\":{\"baseDelay\":-1}}").contains("baseDelay: -1"));
    assert!(refused_line("nonsense").contains("trace line 3: no JSON object"));
    assert!(refused_line("[]").contains("trace line 3"));
    assert!(refused_line(r#"{"input":"start"}"#).contains("trace line 3: the key at is missing"));
    assert!(
        refused_line(r#"{"at":-1,"input":"start"}"#)
            .contains("at: invalid type: integer `-1`, expected milliseconds, 0 or more")
    );
    assert!(refused_line(r#"{"at":0.0001,"input":"start"}"#).contains("three decimals"));
    assert!(refused_line(r#"{"at":0,"input":"strt"}"#).contains("unknown variant `strt`, expected one of `start`"));
    assert!(refused_line(r#"{"at":0}"#).contains("one of the keys input and output"));
    assert!(refused_line(r#"{"at":0,"input":"opened"}"#).contains("missing field `connection`"));
    assert!(refused_line(r#"{"at":0,"output":"explode"}"#).contains("unknown variant `explode`"));
    let bad_cause = r#"{"at":0,"input":"failed","connection":1,"cause":{"kind":"gremlins"}}"#;
    assert!(refused_line(bad_cause).contains("unknown variant `gremlins`, expected one of `network`"));
}

#[test]
fn microseconds_survive_in_late_times() {
    let late = "4000000000000.001";
    let trace = Trace::parse(&format!("{HEADER}\n{{\"at\":{late},\"input\":\"start\"}}\n")).unwrap();
    assert_eq!(trace.lines[0].at.as_micros(), 4_000_000_000_000_001);
    let mut lines = Vec::new();
    let mut writer = redial::trace::Writer::new(&mut lines);
    trace.replay(trace.machine(), None, |at, output| writer.output(at, &output).unwrap());
    assert!(String::from_utf8(lines).unwrap().starts_with(&format!("{{\"at\":{late},\"output\":\"dial\"")));
}

#[test]
fn a_trace_with_timeouts_is_replayed_as_it_was() {
    let as_it_was = format!(
        "{HEADER}\n{}\n{}\n{}\n",
        r#"{"at":0,"input":"start"}"#,
        r#"{"at":12000,"input":"timeout"}"#, // the connect timeout, two seconds late
        r#"{"at":40000,"input":"stop"}"#,
    );
    let trace = Trace::parse(&as_it_was).unwrap();
    let mut times = Vec::new();
    trace.replay(trace.machine(), None, |at, _| times.push(at.as_micros() / 1000));
    times.dedup();
    assert_eq!(times, [0, 12_000, 40_000]);
}

#[test]
fn check_finds_the_first_difference() {
    let good = format!(
        "{HEADER}\n{}\n{}\n{}\n",
        r#"{"at":0,"input":"start"}"#,
        r#"{"at":0,"output":"phase","from":"idle","to":"connecting"}"#,
        r#"{"at":0,"output":"dial","connection":1,"endpoint":0,"attempt":0,"freshCredentials":false}"#,
    );
    let check = |text: &str| {
        let trace = Trace::parse(text).unwrap();
        trace.check(trace.machine(), None).map_err(|difference| difference.to_string())
    };
    assert_eq!(check(&good), Ok(()), "the order of notices within one instant is free");
    let other = check(&good.replace("\"attempt\":0", "\"attempt\":1")).unwrap_err();
    assert!(other.contains("trace line 4") && other.contains("\"attempt\":1") && other.contains("\"attempt\":0"));
    let more = check(&good.replace("{\"at\":0,\"output\":\"phase\",\"from\":\"idle\",\"to\":\"connecting\"}\n", ""));
    assert!(more.unwrap_err().contains("nothing more"));
    let late = format!("{good}{}\n", r#"{"at":500,"output":"stable","connection":1}"#);
    assert!(check(&late).unwrap_err().contains("trace line 5"));
    let same = format!("{good}{}\n", good.lines().last().unwrap());
    assert!(check(&same).unwrap_err().contains("trace line 5"), "the last instant has one more");
}

#[test]
fn commands_out_of_order_are_a_difference() {
    let text = format!(
        "{HEADER}\n{}\n{}\n{}\n{}\n{}\n",
        r#"{"at":0,"input":"start"}"#,
        r#"{"at":0,"output":"dial","connection":1,"endpoint":0,"attempt":0,"freshCredentials":false}"#,
        r#"{"at":0,"output":"phase","from":"idle","to":"connecting"}"#,
        r#"{"at":9,"input":"stop"}"#,
        r#"{"at":9,"output":"phase","from":"connecting","to":"closed"}"#,
    );
    let hung_up = r#"{"at":9,"output":"hangUp","connection":1,"cause":{"kind":"user"}}"#;
    let trace = Trace::parse(&format!("{text}{hung_up}\n")).unwrap();
    assert_eq!(trace.check(trace.machine(), None), Ok(()));
    let swapped = format!("{text}{}\n", hung_up.replace("hangUp\",\"connection\":1", "hangUp\",\"connection\":2"));
    let trace = Trace::parse(&swapped).unwrap();
    assert!(trace.check(trace.machine(), None).is_err());
}

#[test]
fn a_key_that_an_input_does_not_have_is_refused() {
    assert!(refused_line(r#"{"at":0,"input":"start","connection":3}"#).contains("connection"));
    assert!(refused_line(r#"{"at":0,"input":"timeout","connection":"z"}"#).contains("allowed: input"));
    let cause = r#"{"at":0,"input":"failed","connection":1,"cause":{"kind":"timeout","status":5}}"#;
    assert!(refused_line(cause).contains("status"));
    let whole = r#"{"at":0,"input":"hint","minDelay":null,"stop":false}"#;
    assert!(Trace::parse(&format!("{HEADER}\n{whole}\n")).is_ok(), "what goes without saying may be said");
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    assert!(refused_line(r#"{"at":0,"at":5,"input":"start"}"#).contains("the key at stands twice"));
    let twice = r#"{"redial":1,"policy":{"baseDelay":1,"baseDelay":2},"seed":1}"#;
    assert!(refused(twice).contains("baseDelay stands twice"));
}

#[test]
fn whatever_is_recorded_can_be_read_again() {
    let huge = redial::Micros::from_micros(u64::MAX - 1);
    let cause = redial::Cause::Http { status: 503, retry_after: Some(huge) };
    let input = redial::Input::Failed { connection: redial::ConnectionId(1), cause };
    let mut text = format!("{HEADER}\n").into_bytes();
    let mut writer = redial::trace::Writer::new(&mut text);
    writer.input(redial::Timestamp::from_micros(u64::MAX), &input).unwrap();
    writer.input(redial::Timestamp::from_micros(u64::MAX / 1000 * 1000), &input).unwrap();
    let lines: Vec<_> = String::from_utf8(text).unwrap().lines().map(str::to_owned).collect();
    assert!(Trace::parse(&format!("{}\n{}\n", lines[0], lines[2])).is_ok(), "{}", lines[2]);
}

#[test]
fn an_error_is_one_line_whatever_it_quotes() {
    assert_eq!(refused("{\"redial\":1,\"seed\":1,\"a\\nb\\u007f\":0}").lines().count(), 1);
    assert!(refused_line(r#"{"at":0,"input":"a\nb"}"#).contains("a\u{fffd}b"));
}

/// With these two lines there is an output for each microsecond of 126 years.
#[test]
fn a_check_ends_at_the_first_difference() {
    let policy = r#"{"baseDelay":0,"maxDelay":0,"connectTimeout":0.001,"maxAttempts":null,"dialBudget":null}"#;
    let text = format!(
        "{{\"redial\":1,\"policy\":{policy},\"seed\":1}}\n{}\n{}\n",
        r#"{"at":0,"input":"start"}"#, r#"{"at":4000000000000,"input":"stop"}"#
    );
    let trace = Trace::parse(&text).unwrap();
    let difference = trace.check(trace.machine(), None).unwrap_err();
    assert_eq!((difference.expected, difference.line), (None, 3));
    assert!(difference.found.is_some_and(|(at, _)| at == redial::Timestamp::ZERO), "{difference}");
}

#[test]
fn a_span_longer_than_a_policys_is_read_as_it_is_written() {
    let hint = r#"{"at":0,"input":"hint","minDelay":18446744073709551}"#;
    let trace = Trace::parse(&format!("{HEADER}\n{hint}\n")).unwrap();
    let longest = redial::Hint { min_delay: Some(redial::Micros::MAX_POLICY), ..redial::Hint::default() };
    assert_eq!(trace.inputs().last(), Some((redial::Timestamp::ZERO, redial::Input::Hint(longest))));
}

#[test]
fn a_time_too_late_for_its_microseconds_goes_without_them() {
    let mut line = Vec::new();
    let late = redial::Timestamp::from_micros((1 << 53) + 1);
    redial::trace::Writer::new(&mut line).input(late, &redial::Input::Start).unwrap();
    let trace = Trace::parse(&format!("{HEADER}\n{}", String::from_utf8(line).unwrap())).unwrap();
    assert_eq!(trace.lines[0].at, redial::Timestamp::from_millis(9_007_199_254_740));
}

/// A header and one of each input, with the outputs between them.
fn recording() -> String {
    let mut lines = Vec::new();
    let policy =
        redial::Policy::builder().jitter(redial::Jitter::None).ready_timeout(redial::Micros::from_micros(1500));
    let header = redial::trace::Header {
        policy: policy.build().unwrap(),
        seed: 7,
        endpoints: std::num::NonZeroU32::new(2).unwrap(),
    };
    let connection = redial::ConnectionId(1);
    let inputs = [
        redial::Input::Start,
        redial::Input::Hold { reason: redial::HoldReason::Idle },
        redial::Input::Release { reason: redial::HoldReason::Idle },
        redial::Input::Opened { connection },
        redial::Input::Ready { connection },
        redial::Input::Busy { on: true },
        redial::Input::Received { connection },
        redial::Input::Timeout,
        redial::Input::Pong { connection, ping: redial::PingId(1) },
        redial::Input::Hint(redial::Hint {
            min_delay: Some(redial::Micros::from_micros(1)),
            spread: None,
            stop: false,
        }),
        redial::Input::Closed { connection, cause: redial::Cause::network(redial::NetworkDetail::Reset) },
        redial::Input::Failed { connection, cause: redial::Cause::http(503) },
        redial::Input::Endpoints { count: std::num::NonZeroU32::new(3).unwrap() },
        redial::Input::Budget { wait: redial::Micros::from_micros(1_250_500) },
        redial::Input::Reconnect,
        redial::Input::Stop,
    ];
    let mut machine = header.machine();
    let mut writer = redial::trace::Writer::new(&mut lines);
    writer.header(&header).unwrap();
    for (at, input) in (0..).map(|n| redial::Timestamp::from_micros(n * 1_000_001)).zip(inputs) {
        writer.input(at, &input).unwrap();
        for output in machine.handle(at, input) {
            writer.output(at, &output).unwrap();
        }
    }
    let written = writer.into_inner();
    assert!(written.ends_with(b"\n"));
    String::from_utf8(lines).unwrap()
}

#[test]
fn a_recording_is_read_as_it_was_written() {
    let text = recording();
    let trace = Trace::parse(&text).unwrap();
    assert_eq!((trace.header.seed, trace.header.endpoints.get(), trace.inputs().count()), (7, 2, 16));
    assert_eq!(trace.inputs().count() + trace.outputs().count(), text.lines().count() - 1);
    assert_eq!(
        trace.lines.iter().map(|line| line.number).collect::<Vec<_>>(),
        (2..=text.lines().count()).collect::<Vec<_>>()
    );
    assert!(text.contains(r#""input":"endpoints","count":3}"#), "{text}");
    assert!(text.contains(r#""input":"budget","wait":1250.5}"#), "{text}");
    let mut again = Vec::new();
    let mut writer = redial::trace::Writer::new(&mut again);
    writer.header(&trace.header).unwrap();
    for line in &trace.lines {
        match &line.event {
            redial::trace::Event::Input(input) => writer.input(line.at, input).unwrap(),
            redial::trace::Event::Output(output) => writer.output(line.at, output).unwrap(),
        }
    }
    assert_eq!(String::from_utf8(again).unwrap(), text);
    assert_eq!(trace.check(trace.machine(), None), Ok(()));
}

#[test]
fn errors_say_where() {
    let error = Trace::parse(&format!("\n{HEADER}\n\n{{\"at\":0}}\n")).unwrap_err();
    assert_eq!(error.line(), 4);
    assert!(refused_line("nonsense").starts_with("trace line 3: no JSON object"));
    // No form of JSON but the one that is needed, however deep.
    for (value, problem) in [("[1,[null,true,-1,0.5,\"x\"]]", "sequence"), ("\"soon\"", "soon"), ("true", "boolean")] {
        let error = refused_line(&format!("{{\"at\":{value},\"input\":\"start\"}}"));
        assert!(error.contains("line 3: at: ") && error.contains(problem), "{error}");
    }
    for line in ["3", "-3", "0.5", "null", "true", "\"start\"", "[{}]"] {
        assert!(refused_line(line).contains("line 3: a line is a JSON object"), "{line}");
    }
    assert!(refused_line(r#"{"at":0,"input":"hint","stop":true,"sto":false,"more":1}"#).contains("more"));
    assert!(refused_line(r#"{"at":0,"input":"endpoints","count":3,"wait":1}"#).contains("wait"));
    assert!(refused_line(r#"{"at":0,"input":"budget","wait":3,"count":1}"#).contains("count"));
    assert!(refused_line(r#"{"at":0,"input":"endpoints","count":0}"#).contains("nonzero"));
    assert!(refused_line(r#"{"at":0,"input":"endpoints"}"#).contains("count"));
    assert!(refused_line(r#"{"at":0,"input":"budget","wait":-1}"#).contains("milliseconds"));
    let both = r#"{"at":0,"input":"start","output":"stable","connection":1}"#;
    assert!(refused_line(both).contains("one of the keys input and output"));
}

/// "After the last line deadlines fire up to `until`."
#[test]
fn deadlines_fire_up_to_the_last_one_asked_for() {
    let trace = Trace::parse(&format!("{HEADER}\n{}\n", r#"{"at":0,"input":"start"}"#)).unwrap();
    let dials = |until: u64| {
        let mut dials = Vec::new();
        trace.replay(trace.machine(), Some(redial::Timestamp::from_micros(until)), |at, output| {
            if let redial::Output::Command(redial::Command::Dial(_)) = output {
                dials.push(at.as_micros());
            }
        });
        dials
    };
    assert_eq!(dials(10_999_999), [0]);
    assert_eq!(dials(11_000_000), [0, 11_000_000]);
    // In a trace without `timeout` lines a deadline at an input's time fires before it.
    let line =
        |at: u64| format!("{{\"at\":{at},\"input\":\"failed\",\"connection\":1,\"cause\":{{\"kind\":\"network\"}}}}");
    let failed = |at| {
        let trace = Trace::parse(&format!("{HEADER}\n{}\n{}\n", r#"{"at":0,"input":"start"}"#, line(at))).unwrap();
        let mut causes = Vec::new();
        trace.replay(trace.machine(), None, |_, output| {
            if let redial::Output::Notice(redial::Notice::AttemptFailed { cause, .. }) = output {
                causes.push(cause);
            }
        });
        causes
    };
    assert_eq!(failed(9999), [redial::Cause::NETWORK]);
    assert_eq!(failed(10_000), [redial::Cause::Timeout]);
}

/// "An earlier `now` acts as the latest one seen", and so do the outputs' times.
#[test]
fn outputs_of_a_rewound_input_have_the_latest_time() {
    let lines = [r#"{"at":50,"input":"start"}"#, r#"{"at":20,"input":"stop"}"#];
    let trace = Trace::parse(&format!("{HEADER}\n{}\n{}\n", lines[0], lines[1])).unwrap();
    let mut times = Vec::new();
    trace.replay(trace.machine(), None, |at, _| times.push(at.as_micros()));
    assert_eq!(times, [50_000; 4]);
}

/// The order of notices within one instant is free, that of commands is not; whatever else differs is a difference, with
/// its line.
#[test]
fn a_difference_shows_both_sides_and_its_line() {
    let text = recording();
    let lines: Vec<&str> = text.lines().collect();
    let check = |lines: &[&str]| {
        let trace = Trace::parse(&lines.join("\n")).unwrap();
        trace.check(trace.machine(), None)
    };
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("\"output\"")) {
        // Left out: the replay has it, the trace something else or nothing more.
        let mut shorter = lines.clone();
        shorter.remove(index);
        let difference = check(&shorter).unwrap_err();
        assert_ne!(difference.expected, difference.found, "{line}");
        // Twice: the trace has one more than the replay.
        let mut longer = lines.clone();
        longer.insert(index, line);
        let difference = check(&longer).unwrap_err();
        assert!(difference.expected.is_some() && difference.line > index, "{line}: {difference}");
    }
    let last = check(&lines[..lines.len() - 1]).unwrap_err();
    assert_eq!((last.expected, last.line), (None, lines.len() - 1));
    assert!(
        last.to_string().starts_with(&format!("trace line {}: the trace has nothing more", lines.len() - 1)),
        "{last}"
    );
    assert!(last.to_string().ends_with(lines[lines.len() - 1]), "{last}");
}
