//! One of a name's addresses: several are tried at once, a little apart (RFC 8305).

use crate::classify;
use crate::runtime::Runtime;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use redial::{Cause, Micros, NetworkDetail};
use redial_driver::Clock;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::pin;

/// How long an address is given before the next is tried beside it: the delay that RFC 8305, section 8, recommends.
const ATTEMPT_DELAY: Micros = Micros::from_millis(250);

/// Resolving is a step of its own, so that "dns" is certain.
const UNRESOLVED: Cause = Cause::network(NetworkDetail::Dns);

/// Connects to whichever address of the host answers first. The others are given up.
pub(crate) async fn connect_host<N: Runtime>(host: &str, port: u16, nodelay: bool) -> Result<N::Tcp, Cause> {
    let addresses = N::resolve(host, port).await.map_err(|_| UNRESOLVED)?;
    connect_any::<N>(addresses, nodelay).await
}

/// The same for addresses that are known.
pub(crate) async fn connect_any<N: Runtime>(addresses: Vec<SocketAddr>, nodelay: bool) -> Result<N::Tcp, Cause> {
    let clock = N::clock();
    let mut untried = interleaved(addresses);
    let mut tries = FuturesUnordered::new();
    let mut failure = UNRESOLVED;
    loop {
        if let Some(address) = untried.pop_front() {
            tries.push(N::connect(address, nodelay));
        }
        let pause = (!untried.is_empty()).then(|| clock.sleep_until(clock.now().saturating_add(ATTEMPT_DELAY)));
        let next = async move {
            match pause {
                Some(pause) => pause.await,
                None => std::future::pending().await,
            }
        };
        match select(tries.next(), pin!(next)).await {
            Either::Left((Some(Ok(tcp)), _)) => return Ok(tcp),
            Either::Left((Some(Err(error)), _)) => failure = telling(failure, classify::dial_failure(&error)),
            Either::Left((None, _)) => return Err(failure),
            Either::Right(((), _)) => {}
        }
    }
}

/// The cause that says more: a host without a route for one family says "unreachable" of every address of it.
fn telling(before: Cause, now: Cause) -> Cause {
    let unreachable = Cause::network(NetworkDetail::Unreachable);
    if now == unreachable && before != UNRESOLVED { before } else { now }
}

/// The families in turn, beginning with that of the first address (RFC 8305, section 4).
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_family = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|one| one.is_ipv6() == first_family);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = VecDeque::new();
    loop {
        let pair = (first.next(), second.next());
        all.extend(pair.0.into_iter().chain(pair.1));
        if pair == (None, None) {
            return all;
        }
    }
}

#[cfg(test)]
mod tests;
