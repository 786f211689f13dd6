//! What may happen.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use redial::Micros;
use redial_session::{AckPolicy, ClientConfig, EndReason, Overflow};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) client: ClientConfig,
    pub(crate) server_acks: AckPolicy,
    pub(crate) most_payload: u64,
}

#[derive(Clone, Debug)]
pub(crate) enum Move {
    Send {
        length: usize,
        binary: bool,
        deadline: Option<u64>,
    },
    Push {
        length: usize,
    },
    Wait(u64),
    Connect,
    /// With its greeting and welcome.
    Meet,
    /// What each side has, to the other, so many times.
    Exchange(usize),
    ConnectPlain,
    Cut,
    Hang,
    ClientWrites(usize),
    ServerWrites(usize),
    ToServer(usize),
    ToClient(usize),
    Lose {
        to_server: bool,
        index: usize,
    },
    Repeat {
        to_server: bool,
        index: usize,
    },
    Commit(usize),
    Crash,
    Forget,
    HalfForget,
    ClientPings(u64),
    ServerPings(u64),
    ClientEnds,
    ServerEnds(EndReason),
    GoesAway,
    SaveAndRestore,
}

/// What a scenario is rich in. Everything but the ordinary is rare or absent elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    /// Connections and servers die; the store remembers, and the link is good as long as it lasts.
    Cuts,
    /// The link also loses and repeats.
    Hostile,
    /// The store forgets; sessions end.
    Memory,
    /// Servers that do not speak the protocol.
    Plain,
    /// Nobody acknowledges, and nothing is read.
    Silence,
    /// Everything.
    All,
}

pub(crate) fn setup() -> impl Strategy<Value = Setup> {
    let acks = || {
        (prop_oneof![Just(0_u32), Just(1), 2..40_u32], prop_oneof![Just(0_u64), Just(50), 1..2_000_u64])
            .prop_map(|(every, millis)| AckPolicy { every, delay: Micros::from_millis(millis) })
    };
    let overflow = prop_oneof![Just(Overflow::Reject), Just(Overflow::DropOldest)];
    let client = (
        prop_oneof![1 => 0..3_usize, 4 => 3..24_usize],
        prop_oneof![1 => 0..40_usize, 4 => 100..2_000_usize],
        overflow,
        prop_oneof![1 => Just(0_u32), 5 => 1..5_u32],
        acks(),
    )
        .prop_map(|(messages, bytes, overflow, resume_tries, acks)| ClientConfig {
            messages,
            bytes,
            overflow,
            resume_tries,
            acks,
        });
    (client, acks(), prop_oneof![Just(0_u64), 8..40_u64]).prop_map(|(client, server_acks, most_payload)| Setup {
        client,
        server_acks,
        most_payload,
    })
}

pub(crate) fn moves(focus: Focus) -> impl Strategy<Value = Vec<Move>> {
    let on = |foci: &[Focus], weight: u32| if focus == Focus::All || foci.contains(&focus) { weight } else { 0 };
    let amount = || prop_oneof![Just(1_usize), 1..5_usize, Just(usize::MAX)];
    let wait = prop_oneof![Just(50_u64), 0..100_u64, 1_000..5_000_u64];
    let reason = prop_oneof![Just(EndReason::Done), Just(EndReason::Overflow), Just(EndReason::Gone)];
    let deadline = prop_oneof![3 => Just(None), 1 => (0..200_u64).prop_map(Some)];
    let lively = if focus == Focus::Silence { 1 } else { 8 };
    let vast = if focus == Focus::Silence { 30 } else { 10 };
    let mut possible = vec![
        (
            vast,
            (0..50_usize, any::<bool>(), deadline)
                .prop_map(|(length, binary, deadline)| Move::Send { length, binary, deadline })
                .boxed(),
        ),
        (6, (0..50_usize).prop_map(|length| Move::Push { length }).boxed()),
        (4, wait.prop_map(Move::Wait).boxed()),
        (2, Just(Move::Connect).boxed()),
        (6, Just(Move::Meet).boxed()),
        (lively, (1..3_usize).prop_map(Move::Exchange).boxed()),
        (on(&[Focus::Plain], 2), Just(Move::ConnectPlain).boxed()),
        (1, Just(Move::Cut).boxed()),
        (1, Just(Move::Hang).boxed()),
        (8, amount().prop_map(Move::ClientWrites).boxed()),
        (lively, amount().prop_map(Move::ServerWrites).boxed()),
        (8, amount().prop_map(Move::ToServer).boxed()),
        (lively, amount().prop_map(Move::ToClient).boxed()),
        (
            on(&[Focus::Hostile], 6),
            (any::<bool>(), 0..8_usize).prop_map(|(to_server, index)| Move::Lose { to_server, index }).boxed(),
        ),
        (
            on(&[Focus::Hostile], 6),
            (any::<bool>(), 0..8_usize).prop_map(|(to_server, index)| Move::Repeat { to_server, index }).boxed(),
        ),
        (6, amount().prop_map(Move::Commit).boxed()),
        (1, Just(Move::Crash).boxed()),
        (on(&[Focus::Memory], 2), Just(Move::Forget).boxed()),
        (on(&[Focus::Memory], 1), Just(Move::HalfForget).boxed()),
        (1, (0..1_000_u64).prop_map(Move::ClientPings).boxed()),
        (1, (0..1_000_u64).prop_map(Move::ServerPings).boxed()),
        (on(&[Focus::Memory], 1), Just(Move::ClientEnds).boxed()),
        (on(&[Focus::Memory], 1), reason.prop_map(Move::ServerEnds).boxed()),
        (1, Just(Move::GoesAway).boxed()),
        (on(&[Focus::Cuts, Focus::Memory], 1), Just(Move::SaveAndRestore).boxed()),
    ];
    possible.retain(|(weight, _)| *weight > 0);
    vec(Union::new_weighted(possible), 1..120)
}
