//! What happens to a client: each story with the decisions that must follow from it.

mod endings;
mod outages;
#[cfg(unix)]
mod processes;
mod refusals;
mod secure;
mod talk;
mod user;

use redial::{DialBudget, Micros, Policy, PolicyBuilder};

use super::client::Client;
use super::play::Scenario;
use super::server::Server;
use super::task::Settings;

/// All scenarios, in order.
pub(super) fn all() -> impl Iterator<Item = &'static Scenario> {
    let portable = [talk::ALL, user::ALL, endings::ALL, refusals::ALL, secure::ALL, outages::ALL];
    #[cfg(unix)]
    let with_processes = [processes::ALL];
    #[cfg(not(unix))]
    let with_processes: [&[Scenario]; 0] = [];
    portable.into_iter().chain(with_processes).flatten()
}

const fn ms(millis: u64) -> Micros {
    Micros::from_millis(millis)
}

/// Small delays with jitter, no pings and no limits. No connection is stable within the story: that would depend on how long
/// it takes.
fn quick() -> PolicyBuilder {
    Policy::builder()
        .base_delay(ms(20))
        .min_delay(ms(5))
        .max_delay(ms(160))
        .max_attempts(None)
        .stable_after(Micros::from_secs(3600))
        .connect_timeout(Micros::from_secs(20))
        .health_check_interval(None)
        .dial_budget(None::<DialBudget>)
}

fn settings(urls: impl IntoIterator<Item = String>, policy: PolicyBuilder) -> Settings {
    Settings {
        urls: urls.into_iter().collect(),
        policy: policy.build().expect("a story's policy is valid"),
        close_timeout: Micros::from_secs(5),
        root_pem: None,
        headers: Vec::new(),
        subprotocols: Vec::new(),
    }
}

/// The connection that opens now is a good one: a message there and back, and a whole close handshake.
fn talk_and_part(client: &mut Client, server: &Server) {
    client.opened();
    let echo = server.peer().echo();
    client.send("hello");
    assert_eq!(client.text(), "hello");
    client.stop();
    client.end();
    assert_eq!(echo.done(), Some(1000), "how the client left");
}
