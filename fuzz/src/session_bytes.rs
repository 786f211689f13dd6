//! What both halves of a session are fed with.

use arbitrary::{Result, Unstructured};
use redial::{Micros, Timestamp};
use redial_session::{AckPolicy, Advice, EndReason, Frame, Outcome, Payload, Secret, SessionId, Welcome};

/// Most often a little later.
pub(crate) fn later(u: &mut Unstructured<'_>, now: Timestamp) -> Result<Timestamp> {
    Ok(match u.int_in_range(0..=7)? {
        0 => Timestamp::from_micros(u.arbitrary()?),
        1 => now,
        _ => now.saturating_add(Micros::from_millis(u.arbitrary::<u8>()?.into())),
    })
}

pub(crate) fn acks(u: &mut Unstructured<'_>) -> Result<AckPolicy> {
    Ok(AckPolicy { every: u.int_in_range(0..=40)?, delay: Micros::from_millis(u.arbitrary::<u8>()?.into()) })
}

/// A small number, one about the limit, or any.
pub(crate) fn number(u: &mut Unstructured<'_>, near: u64) -> Result<u64> {
    Ok(match u.int_in_range(0..=9)? {
        0 => u.arbitrary()?,
        1 => near.saturating_sub(1),
        2 => near.saturating_add(2),
        3..=5 => near.saturating_add(1),
        6 => u.arbitrary::<u8>()?.into(),
        _ => near,
    })
}

pub(crate) fn payload(u: &mut Unstructured<'_>) -> Result<Payload> {
    let length = usize::from(u.arbitrary::<u8>()?);
    Ok(if u.arbitrary()? { Payload::text("x".repeat(length)) } else { Payload::binary(vec![0xff; length]) })
}

pub(crate) fn end_reason(u: &mut Unstructured<'_>) -> Result<EndReason> {
    let all = [EndReason::Done, EndReason::Superseded, EndReason::Overflow, EndReason::Gone];
    u.choose(&all).copied()
}

pub(crate) fn welcome(u: &mut Unstructured<'_>, received: u64) -> Result<Welcome> {
    Ok(Welcome {
        outcome: *u.choose(&[Outcome::New, Outcome::Resumed, Outcome::Resumed, Outcome::Replaced])?,
        id: SessionId::from_bytes([u.arbitrary()?; 16]),
        secret: Secret::from_bytes([9; 16]),
        received: number(u, received)?,
        ttl: Micros::from_millis(u.arbitrary::<u32>()?.into()),
        most_payload: if u.arbitrary()? { 0 } else { number(u, 100)? },
    })
}

/// Any frame, whoever may send it; most often with numbers that fit.
pub(crate) fn frame(u: &mut Unstructured<'_>, sent: u64, received: u64) -> Result<Vec<u8>> {
    let frame = match u.int_in_range(0..=15)? {
        0 => {
            let length = u.int_in_range(0..=40)?.min(u.len());
            return Ok(u.bytes(length)?.to_vec());
        }
        1 => Frame::Start,
        2 => Frame::Resume {
            id: SessionId::from_bytes([u.arbitrary()?; 16]),
            secret: Secret::from_bytes([9; 16]),
            received: number(u, sent)?,
        },
        3 | 4 => Frame::Welcome(welcome(u, sent)?),
        5 => Frame::Ping { id: u.arbitrary()? },
        6 => Frame::Pong { id: u.arbitrary()? },
        7 => Frame::GoingAway(Advice { stop: u.arbitrary()?, ..Advice::default() }),
        8 => Frame::End { reason: end_reason(u)? },
        9 => Frame::Unknown { kind: u.int_in_range(0x80..=0xff)? },
        10 | 11 => Frame::Ack { received: number(u, sent)? },
        _ => Frame::Message { number: number(u, received)?, received: number(u, sent)?, payload: payload(u)? },
    };
    Ok(frame.encode().to_vec())
}
