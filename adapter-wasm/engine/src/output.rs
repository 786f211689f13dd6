//! Outputs as numbers: first the kind, then the fields in the contract's order, a cause last. -1 stands for none.

use redial::{Cause, Command, Dial, Micros, Notice, Output, Quality, RetryScheduled};

use crate::buffer::Numbers;

/// How many numbers each output takes.
pub(crate) const WIDTH: usize = 9;

pub(crate) fn write(at: usize, output: Output) {
    let mut to = Numbers::from(at);
    match output {
        Output::Command(Command::Dial(Dial { connection, endpoint, attempt, fresh_credentials })) => {
            put(&mut to, &[0, connection.0, endpoint.into(), attempt.into(), fresh_credentials.into()]);
        }
        Output::Command(Command::HangUp { connection, cause }) => {
            put(&mut to, &[1, connection.0]);
            put_cause(&mut to, cause);
        }
        Output::Command(Command::Ping { connection, ping }) => put(&mut to, &[2, connection.0, ping.0]),
        Output::Notice(Notice::Phase { from, to: now }) => put(&mut to, &[3, from as u64, now as u64]),
        Output::Notice(Notice::RetryScheduled(retry)) => {
            let RetryScheduled { attempt, delay, dial_at, raw, jittered, hint, budget } = retry;
            put(&mut to, &[4, attempt.into(), us(delay), dial_at.as_micros(), us(raw), us(jittered)]);
            to.optional(hint.map(us));
            to.whole(us(budget));
        }
        Output::Notice(Notice::AttemptFailed { connection, attempt, cause }) => {
            put(&mut to, &[5, connection.0, attempt.into()]);
            put_cause(&mut to, cause);
        }
        Output::Notice(Notice::Opened { connection, attempt, downtime }) => {
            put(&mut to, &[6, connection.0, attempt.into(), us(downtime)]);
        }
        Output::Notice(Notice::Stable { connection }) => put(&mut to, &[7, connection.0]),
        Output::Notice(Notice::Lost { connection, cause, uptime }) => {
            put(&mut to, &[8, connection.0, us(uptime)]);
            put_cause(&mut to, cause);
        }
        Output::Notice(Notice::HealthCheck { connection, latency, smoothed, quality }) => {
            put(&mut to, &[9, connection.0, us(latency), us(smoothed), quality as u64]);
        }
        Output::Notice(Notice::QualityChanged { from, to: now }) => {
            to.whole(10);
            put_quality(&mut to, from);
            put_quality(&mut to, now);
        }
        Output::Notice(Notice::GaveUp { limit, attempts, elapsed, cause }) => {
            put(&mut to, &[11, limit as u64, attempts.into(), us(elapsed)]);
            put_cause(&mut to, cause);
        }
        // One that this module does not know yet.
        Output::Notice(_) => to.whole(12),
    }
}

const fn us(span: Micros) -> u64 {
    span.as_micros()
}

#[inline(never)]
fn put(to: &mut Numbers, numbers: &[u64]) {
    for number in numbers {
        to.whole(*number);
    }
}

pub(crate) fn put_quality(to: &mut Numbers, quality: Option<Quality>) {
    to.optional(quality.map(|quality| quality as u64));
}

#[inline(never)]
fn put_cause(to: &mut Numbers, cause: Cause) {
    let (kind, number) = match cause {
        Cause::Network { detail } => (0, detail.map_or(0, |detail| (detail as u64).wrapping_add(1))),
        Cause::Timeout => (1, 0),
        Cause::PingTimeout => (2, 0),
        Cause::Http { status, .. } => (3, status.into()),
        Cause::Close { code, .. } => (4, code.into()),
        Cause::Protocol => (5, 0),
        Cause::User => (6, 0),
        Cause::Superseded => (7, 0),
    };
    put(to, &[kind, number]);
    to.optional(cause.retry_after().map(us));
}
