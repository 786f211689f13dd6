//! `redial status`: one look at a server.

mod connection;
mod health;
mod place;
mod report;

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::args::StatusArgs;
use crate::failure::Failure;
use connection::Seen;
use health::Health;
use place::Place;
use report::Report;

/// Looks, tells, and judges.
pub(crate) async fn run(args: &StatusArgs) -> Result<(), Failure> {
    let place = Place::parse(&args.url)?;
    let headers = headers(&args.header)?;
    let deadline = Instant::now() + Duration::from_secs(args.timeout.into());
    let look = connection::Look::new(&place.url, &headers, args.timeout)?;

    let mut seen = Seen::default();
    // At the same time: whoever is silent about the one may still do the other.
    let (health, in_time) =
        tokio::join!(timeout_at(deadline, health::ask(&place, &headers)), timeout_at(deadline, look.see(&mut seen)),);
    let late = format!("no answer within {} s", args.timeout);
    let health = health.unwrap_or_else(|_| Health::none(late.clone()));
    if in_time.is_err() {
        seen.ran_out(&late);
    }
    let report = Report::new(&place, health, seen);
    report.print(args.json)?;
    report.check()
}

/// Names and values.
type Headers = Vec<(String, String)>;

fn headers(given: &[String]) -> Result<Headers, Failure> {
    let headers = given.iter().map(|header| {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| Failure::usage(format_args!("--header {header}: allowed is NAME:VALUE")))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    });
    headers.collect()
}
