//! What a cause means for the next dial.

use core::fmt;

use crate::cause::Cause;
use crate::words::words;

words! {
    /// What the policy says of a close code or an HTTP status.
    pub enum Verdict {
        /// Give up: retrying is of no use.
        Stop = "stop",
        /// Try again.
        Retry = "retry",
    }
}

/// Which cause a verdict is about; written `close:4401` or `http:503`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VerdictKey {
    /// A close code, 1000 to 4999 (RFC 6455, section 7.4.2).
    Close(u16),
    /// An HTTP status, 100 to 999 (RFC 9110, section 15).
    Http(u16),
}

impl VerdictKey {
    pub(crate) const ALLOWED: &'static str =
        "close:CODE with a CODE from 1000 to 4999, or http:STATUS with a STATUS from 100 to 999";

    /// Reads `close:CODE` or `http:STATUS`; `None` if it is neither, or out of range.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, number) = text.split_once(':')?;
        // u16's own parser takes "+4401" too.
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: u16 = number.parse().ok()?;
        let key = match kind {
            "close" => Self::Close(number),
            "http" => Self::Http(number),
            _ => return None,
        };
        key.is_in_range().then_some(key)
    }

    pub(crate) const fn is_in_range(self) -> bool {
        match self {
            Self::Close(code) => code >= 1000 && code <= 4999,
            Self::Http(status) => status >= 100 && status <= 999,
        }
    }
}

impl fmt::Display for VerdictKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Close(code) => write!(f, "close:{code}"),
            Self::Http(status) => write!(f, "http:{status}"),
        }
    }
}

/// The policy's own verdicts, at most [`Verdicts::CAPACITY`]; they come before the built-in ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    entries: [Option<Entry>; Self::CAPACITY],
}

/// Four bytes: flat, where a pair with an enum in it has six.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    number: u16,
    kind: Kind,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Close,
    Http,
}

impl Entry {
    const fn new(key: VerdictKey, verdict: Verdict) -> Self {
        match key {
            VerdictKey::Close(number) => Self { number, kind: Kind::Close, verdict },
            VerdictKey::Http(number) => Self { number, kind: Kind::Http, verdict },
        }
    }

    const fn key(self) -> VerdictKey {
        match self.kind {
            Kind::Close => VerdictKey::Close(self.number),
            Kind::Http => VerdictKey::Http(self.number),
        }
    }
}

impl Verdicts {
    /// How many entries fit.
    pub const CAPACITY: usize = 16;

    pub(super) const fn new() -> Self {
        Self { entries: [None; Self::CAPACITY] }
    }

    /// The verdict on this key, if the policy has one of its own.
    #[must_use]
    pub fn verdict(&self, key: VerdictKey) -> Option<Verdict> {
        self.iter().find(|(own, _)| *own == key).map(|(_, verdict)| verdict)
    }

    /// Sets or replaces a verdict; `false`, and nothing changed, if all places are taken.
    pub(crate) fn insert(&mut self, key: VerdictKey, verdict: Verdict) -> bool {
        let place = self.entries.iter_mut().find(|entry| entry.is_none_or(|entry| entry.key() == key));
        match place {
            Some(place) => {
                *place = Some(Entry::new(key, verdict));
                true
            }
            None => false,
        }
    }

    /// All entries, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (VerdictKey, Verdict)> + '_ {
        self.entries.iter().map_while(|entry| entry.map(|entry| (entry.key(), entry.verdict)))
    }

    /// What follows from a cause. `fresh_credentials`: the dial had new credentials already.
    pub(crate) fn rule(&self, cause: Cause, fresh_credentials: bool) -> Ruling {
        let key = match cause {
            Cause::Close { code, .. } => VerdictKey::Close(code),
            Cause::Http { status, .. } => VerdictKey::Http(status),
            Cause::Superseded => return Ruling::Stop,
            Cause::Network { .. } | Cause::Timeout | Cause::PingTimeout | Cause::Protocol | Cause::User => {
                return Ruling::Retry;
            }
        };
        match self.verdict(key) {
            Some(Verdict::Stop) => Ruling::Stop,
            Some(Verdict::Retry) => Ruling::Retry,
            None => built_in(key, fresh_credentials),
        }
    }
}

/// What follows from a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// The peer ended it on purpose: closed, no failure.
    End,
    Stop,
    Retry,
}

const fn built_in(key: VerdictKey, fresh_credentials: bool) -> Ruling {
    match key {
        // Normal closure: the purpose of the connection is fulfilled.
        VerdictKey::Close(1000) => Ruling::End,
        // Protocol error, unsupported data, invalid payload, policy violation, message too big, mandatory extension: the
        // same client would meet the same end (RFC 6455, section 7.4.1).
        VerdictKey::Close(1002 | 1003 | 1007 | 1008 | 1009 | 1010) => Ruling::Stop,
        VerdictKey::Close(_) => Ruling::Retry,
        // New credentials may help, once.
        VerdictKey::Http(401 | 403) => {
            if fresh_credentials {
                Ruling::Stop
            } else {
                Ruling::Retry
            }
        }
        // The same request would meet the same answer (RFC 9110, section 15.5).
        VerdictKey::Http(400 | 404 | 410 | 426) => Ruling::Stop,
        VerdictKey::Http(_) => Ruling::Retry,
    }
}
