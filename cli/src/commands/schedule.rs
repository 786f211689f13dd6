//! `redial schedule`: the delays of failures in a row.

use std::io::{self, BufWriter, Write};

use redial::{Backoff, Micros};
use serde::Serialize;

use crate::args::ScheduleArgs;
use crate::failure::Failure;
use crate::{policy_source, seed};

pub(crate) fn run(args: &ScheduleArgs) -> Result<(), Failure> {
    const DEFAULT_RETRIES: u32 = 10;

    let policy = policy_source::load(&args.policy)?;
    let seed = seed::given_or_drawn(args.seed)?;
    let retries = args.retries.or_else(|| policy.max_attempts()).unwrap_or(DEFAULT_RETRIES);
    let mut backoff = Backoff::new(&policy, seed);
    let delays = (1..=retries).map(|retry| {
        let delay = backoff.next_delay(&policy);
        Row { retry, raw: delay.raw, delay: delay.jittered }
    });
    if args.json { print_json(delays) } else { print_table(delays, seed) }
}

#[derive(Serialize)]
struct Row {
    retry: u32,
    raw: Micros,
    delay: Micros,
}

fn print_json(rows: impl Iterator<Item = Row>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    for row in rows {
        serde_json::to_writer(&mut out, &row).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

fn print_table(rows: impl Iterator<Item = Row>, seed: u64) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stderr().lock());
    writeln!(out, "retry      raw ms    delay ms    total ms   (seed {seed})")?;
    let mut total = Micros::ZERO;
    for Row { retry, raw, delay } in rows {
        total = total.saturating_add(delay);
        let [raw, delay, total] = [raw, delay, total].map(Micros::as_millis_f64);
        writeln!(out, "{retry:>5} {raw:>11.3} {delay:>11.3} {total:>11.3}")?;
    }
    Ok(out.flush()?)
}
