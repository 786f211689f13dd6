//! What an end means: close codes, HTTP statuses, and the server's answer to an upgrade.

use arbitrary::{Result, Unstructured};
use redial::{
    Cause, Command, Dial, Input, Jitter, Limit, Micros, Notice, Output, Outputs, Phase, Policy, ReconnectMachine,
    Timestamp, Verdict, VerdictKey, Verdicts,
};
use redial_websocket::tungstenite::protocol::CloseFrame;
use redial_websocket::tungstenite::protocol::frame::coding::CloseCode;
use redial_websocket::{Target, testing};

use crate::http_date;
use crate::walk;

/// What begins with `HTTP` is a server's answer. Anything else says which cause ends a dial under which verdicts, or
/// which answer to compose; the outcome is then known beforehand.
pub fn verdicts(bytes: &[u8]) {
    if bytes.starts_with(b"HTTP") {
        raw_answer(bytes);
    } else {
        let mut u = Unstructured::new(bytes);
        // Where the bytes end too soon there is nothing to judge.
        let _ = match u.int_in_range(0..=2) {
            Ok(0) => composed_answer(&mut u),
            Ok(1) => close_frame(&mut u),
            Ok(_) | Err(_) => ruling(&mut u),
        };
    }
}

/// The key of RFC 6455's example, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn judge(received: &[u8]) -> Option<Result<Option<String>, Cause>> {
    let target = Target::parse("ws://a.example").and_then(|target| target.subprotocol("chat.v1"));
    testing::answer(received, &target.expect("a good URL"), KEY)
}

fn raw_answer(received: &[u8]) {
    let whole = judge(received);
    match &whole {
        Some(Err(Cause::Http { status, retry_after })) => {
            assert!((200..=999).contains(status), "an answer other than 101: {status}");
            assert!(retry_after.is_none_or(|wait| wait <= Micros::MAX_POLICY), "a wait that a hint can hold");
        }
        Some(Ok(chosen)) => assert!(chosen.as_deref().is_none_or(|name| name == "chat.v1"), "a subprotocol we offered"),
        Some(Err(cause)) => assert_eq!(*cause, Cause::Protocol, "nonsense is a broken protocol"),
        None => {}
    }
    // What arrives in pieces is judged as what arrives at once, unless it uses today's date.
    let step = (received.len() / 64).max(1);
    for cut in (0..received.len()).step_by(step) {
        let part = judge(received.get(..cut).unwrap_or_default());
        let timed = matches!(part, Some(Err(Cause::Http { retry_after: Some(_), .. })));
        assert!(part.is_none() || timed || part == whole, "cut at {cut}: {part:?}, whole: {whole:?}");
    }
}

/// A refusal with a status and a wait that are known.
fn composed_answer(u: &mut Unstructured<'_>) -> Result<()> {
    let status = u.int_in_range(100..=999)?;
    let mut head = format!("HTTP/1.1 {status} Whatever\r\n");
    let retry_after = match u.int_in_range(0..=3)? {
        0 => None,
        1 => {
            // Of any length: what can't be told apart from "very long" proves little.
            let seconds = u.arbitrary::<u64>()? >> u.int_in_range(0..=63)?;
            let zeros = "0".repeat(u.int_in_range(0..=20)?);
            head += &format!("Retry-After: {zeros}{seconds} \r\n");
            Some(Micros::from_secs(seconds))
        }
        2 => {
            let (from, to) = (u.int_in_range(0..=http_date::LAST)?, u.int_in_range(0..=http_date::LAST)?);
            head += &format!("date: {}\r\nretry-after: {}\r\n", http_date::text(from), http_date::text(to));
            Some(Micros::from_secs(to.saturating_sub(from)))
        }
        _ => {
            head += "Retry-After: -1\r\n";
            None
        }
    };
    head += "\r\n";
    let expected = match status {
        101 => Some(Err(Cause::Protocol)),
        100..=199 => None,
        _ => Some(Err(Cause::Http { status, retry_after: retry_after.map(|wait| wait.min(Micros::MAX_POLICY)) })),
    };
    assert_eq!(judge(head.as_bytes()), expected, "{head}");
    Ok(())
}

fn close_frame(u: &mut Unstructured<'_>) -> Result<()> {
    assert_eq!(testing::closed(None), Cause::close(1005), "no code is 1005");
    let code: u16 = u.arbitrary()?;
    let reason = String::from_utf8_lossy(u.bytes(u.len().min(123))?).into_owned();
    // tungstenite's own words for a code that it does not know.
    let unknown = code == 1002 && reason == "Protocol violation";
    let cause = testing::closed(Some(&CloseFrame { code: CloseCode::from(code), reason: reason.into() }));
    assert_eq!(cause, if unknown { Cause::Protocol } else { Cause::close(code) }, "a close frame says its code");
    Ok(())
}

/// A dial, or one with fresh credentials after it, ends by a cause; the table of the contract says what follows.
fn ruling(u: &mut Unstructured<'_>) -> Result<()> {
    let fresh = u.arbitrary()?;
    let max_retry_after = walk::span(u)?.unwrap_or(Micros::from_secs(300));
    let mut builder =
        Policy::builder().jitter(Jitter::None).max_attempts(None).dial_budget(None).max_retry_after(max_retry_after);
    let cause = walk::cause(u)?;
    let mut own: Vec<(VerdictKey, Verdict)> = Vec::new();
    for _ in 0..u.int_in_range(0..=Verdicts::CAPACITY + 1)? {
        let key = verdict_key(u, cause)?;
        let verdict = *u.choose(Verdict::ALL)?;
        let known = own.iter().position(|(other, _)| *other == key);
        let in_range = match key {
            VerdictKey::Close(code) => (1000..=4999).contains(&code),
            VerdictKey::Http(status) => (100..=999).contains(&status),
        };
        assert_eq!(VerdictKey::parse(&key.to_string()).is_some(), in_range, "the range of {key}");
        let fits = in_range && (known.is_some() || own.len() < Verdicts::CAPACITY);
        let set = builder.verdict(key, verdict);
        assert_eq!(set.is_ok(), fits, "{key} after {own:?}");
        builder = set.unwrap_or(builder);
        match known {
            Some(place) => own[place].1 = verdict,
            None if fits => own.push((key, verdict)),
            None => {}
        }
    }

    let policy = builder.build().expect("in range");
    assert!(policy.verdicts().iter().eq(own.iter().copied()), "verdicts are those that were set");
    // A 401 on the first dial makes the second one fresh, if the policy's own verdict does not stop it.
    if fresh && own.contains(&(VerdictKey::Http(401), Verdict::Stop)) {
        return Ok(());
    }
    let mut machine = ReconnectMachine::new(policy, 7);
    let mut dialled = dial(machine.handle(Timestamp::ZERO, Input::Start)).expect("start dials");
    let mut now = Timestamp::ZERO;
    if fresh {
        let _ = machine.handle(now, Input::Failed { connection: dialled.connection, cause: Cause::http(401) });
        now = machine.deadline().expect("a retry waits");
        dialled = dial(machine.handle(now, Input::Timeout)).expect("the retry dials");
    }
    assert_eq!(dialled.fresh_credentials, fresh, "fresh credentials after a 401");

    let opens = u.arbitrary()?;
    if opens {
        let _ = machine.handle(now, Input::Opened { connection: dialled.connection });
    }
    let outputs = machine.handle(now, Input::Failed { connection: dialled.connection, cause });
    assert_ruling(&machine, now, outputs, cause, expected(cause, &own, fresh), max_retry_after);
    assert_credentials(machine, now, cause);
    Ok(())
}

/// Often the one that the cause is about.
fn verdict_key(u: &mut Unstructured<'_>, cause: Cause) -> Result<VerdictKey> {
    Ok(match (cause, u.int_in_range(0..=3)?) {
        (Cause::Close { code, .. }, 0) => VerdictKey::Close(code),
        (Cause::Http { status, .. }, 0) => VerdictKey::Http(status),
        (_, 1) => VerdictKey::Close(u.arbitrary()?),
        (_, _) => VerdictKey::Http(u.int_in_range(90..=1010)?),
    })
}

#[derive(Debug, PartialEq)]
enum Ruling {
    Closed,
    Failed,
    Retried,
}

/// The contract's law **verdicts**, written down a second time.
fn expected(cause: Cause, own: &[(VerdictKey, Verdict)], fresh: bool) -> Ruling {
    let key = match cause {
        Cause::Close { code, .. } => Some(VerdictKey::Close(code)),
        Cause::Http { status, .. } => Some(VerdictKey::Http(status)),
        Cause::Superseded => return Ruling::Failed,
        Cause::Network { .. } | Cause::Timeout | Cause::PingTimeout | Cause::Protocol | Cause::User => None,
    };
    match own.iter().find(|(other, _)| Some(*other) == key) {
        Some((_, Verdict::Stop)) => return Ruling::Failed,
        Some((_, Verdict::Retry)) => return Ruling::Retried,
        None => {}
    }
    match key {
        Some(VerdictKey::Close(1000)) => Ruling::Closed,
        Some(VerdictKey::Close(1002 | 1003 | 1007 | 1008 | 1009 | 1010)) => Ruling::Failed,
        Some(VerdictKey::Http(400 | 404 | 410 | 426)) => Ruling::Failed,
        Some(VerdictKey::Http(401 | 403)) if fresh => Ruling::Failed,
        Some(_) | None => Ruling::Retried,
    }
}

fn assert_ruling(
    machine: &ReconnectMachine,
    now: Timestamp,
    outputs: Outputs,
    cause: Cause,
    expected: Ruling,
    most: Micros,
) {
    let by_verdict = |output| matches!(output, Output::Notice(Notice::GaveUp { limit: Limit::Verdict, cause: why, .. }) if why == cause);
    let found = match machine.phase() {
        Phase::Closed => Ruling::Closed,
        Phase::Failed => Ruling::Failed,
        Phase::Waiting => Ruling::Retried,
        phase @ (Phase::Idle | Phase::Connecting | Phase::Handshaking | Phase::Open | Phase::Held) => {
            panic!("verdicts: {cause} led to {phase}")
        }
    };
    assert_eq!(found, expected, "verdicts: {cause}");
    assert_eq!(outputs.iter().any(by_verdict), found == Ruling::Failed, "verdicts: gaveUp by verdict: {outputs:?}");
    if let (Ruling::Retried, Some(wait)) = (&found, cause.retry_after()) {
        let earliest = now.saturating_add(wait.min(most));
        assert!(machine.deadline().is_some_and(|at| at >= earliest), "hint-is-a-floor: {cause}, at most {most}");
    }
}

/// Whoever asks for the next dial.
fn assert_credentials(mut machine: ReconnectMachine, now: Timestamp, cause: Cause) {
    let refused = matches!(cause, Cause::Http { status: 401 | 403, .. });
    let next = dial(machine.handle(now, Input::Reconnect)).expect("manual-is-immediate");
    assert_eq!(next.fresh_credentials, refused, "fresh credentials after {cause}");
}

fn dial(outputs: Outputs) -> Option<Dial> {
    outputs.commands().find_map(|command| match command {
        Command::Dial(dial) => Some(dial),
        Command::HangUp { .. } | Command::Ping { .. } => None,
    })
}
