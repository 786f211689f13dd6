//! What scripts answer. An answer that makes no sense is a store that fails, nothing worse.

use bytes::Bytes;
use redial_session::Payload;
use redis::Value;

use crate::store::{Ended, Reason, StoreError};

/// As in `lua/prelude.lua`.
const DONE: i64 = 0;
const SUPERSEDED: i64 = 1;
const UNKNOWN: i64 = 2;
const OVERFLOW: i64 = 3;
const GAP: i64 = 4;
const TOO_MANY: i64 = 5;

/// The values of an array, to be taken one after another.
pub(super) struct Answer(std::vec::IntoIter<Value>);

pub(super) fn nonsense() -> StoreError {
    StoreError::Unavailable("Redis: an answer makes no sense".to_owned())
}

impl Answer {
    /// What is after the status, if that is good.
    pub(super) fn of(value: Value) -> Result<Self, StoreError> {
        let mut answer = Self::array(value)?;
        Err(match answer.next_status()? {
            DONE => return Ok(answer),
            SUPERSEDED => StoreError::Superseded,
            UNKNOWN => StoreError::Gone(Reason::Unknown),
            OVERFLOW => StoreError::Gone(Reason::Overflow),
            GAP => StoreError::Gap { expected: answer.number()? },
            TOO_MANY => StoreError::TooManySessions,
            _ => nonsense(),
        })
    }

    fn array(value: Value) -> Result<Self, StoreError> {
        let Value::Array(values) = value else { return Err(nonsense()) };
        Ok(Self(values.into_iter()))
    }

    fn next_status(&mut self) -> Result<i64, StoreError> {
        let Some(Value::Int(status)) = self.0.next() else { return Err(nonsense()) };
        Ok(status)
    }

    pub(super) fn number(&mut self) -> Result<u64, StoreError> {
        let number = match self.0.next() {
            Some(Value::Int(number)) => u64::try_from(number).ok(),
            Some(Value::BulkString(digits)) => std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse().ok()),
            _ => None,
        };
        number.ok_or_else(nonsense)
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        let Some(Value::BulkString(bytes)) = self.0.next() else { return Err(nonsense()) };
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        String::from_utf8(self.bytes()?).map_err(|_| nonsense())
    }

    pub(super) fn text_or_nil(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            None | Some(Value::Nil) => Ok(None),
            Some(Value::BulkString(text)) => String::from_utf8(text).map(Some).map_err(|_| nonsense()),
            Some(_) => Err(nonsense()),
        }
    }

    /// Its kind and its bytes.
    pub(super) fn payload(&mut self) -> Result<Payload, StoreError> {
        let kind = self.bytes()?;
        let bytes = Bytes::from(self.bytes()?);
        match &*kind {
            b"text" => Payload::from_utf8(bytes).map_err(|_| nonsense()),
            b"binary" => Ok(Payload::binary(bytes)),
            _ => Err(nonsense()),
        }
    }

    /// The next one, an array itself.
    pub(super) fn inner(&mut self) -> Option<Result<Self, StoreError>> {
        self.0.next().map(Self::array)
    }

    /// The rest, each an array.
    pub(super) fn each<T>(mut self, read: impl Fn(&mut Self) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::with_capacity(self.0.len());
        while let Some(inner) = self.inner() {
            all.push(read(&mut inner?)?);
        }
        Ok(all)
    }

    pub(super) fn ended(&mut self) -> Result<Ended, StoreError> {
        let (alias, user) = (self.number()?, self.text_or_nil()?);
        let mut names = self.inner().ok_or_else(nonsense)??;
        let mut rooms = Vec::with_capacity(names.0.len());
        while names.0.len() > 0 {
            rooms.push(names.text()?);
        }
        Ok(Ended { alias, user, rooms })
    }
}
