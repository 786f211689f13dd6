//! The requests that are about one session.

use redial_session::{Payload, SessionId};
use rusqlite::{OptionalExtension, Row, params};

use super::writer::{Failure, Work};
use crate::store::{
    Claim, Committed, Effect, Ended, Lease, NewSession, Outgoing, Reason, Resumed, SecretHash, StoreError, fresh,
};

/// SQLite's integers have a sign: what is above is as good as endless.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An alias is 64 bits, not a number.
pub(super) const fn bits(alias: u64) -> i64 {
    i64::from_ne_bytes(alias.to_ne_bytes())
}

pub(super) fn uint(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}

pub(super) fn alias(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::from_ne_bytes(row.get::<_, i64>(at)?.to_ne_bytes()))
}

pub(super) fn id(row: &Row<'_>, at: usize) -> rusqlite::Result<SessionId> {
    row.get(at).map(SessionId::from_bytes)
}

/// The payload of two columns.
pub(super) fn payload(row: &Row<'_>, text: usize, bytes: usize) -> rusqlite::Result<Payload> {
    let content: Vec<u8> = row.get(bytes)?;
    if row.get(text)? {
        let wrong =
            |error| rusqlite::Error::FromSqlConversionFailure(bytes, rusqlite::types::Type::Blob, Box::new(error));
        Payload::from_utf8(content.into()).map_err(wrong)
    } else {
        Ok(Payload::binary(content))
    }
}

/// A session whose lease stands.
pub(super) struct Held {
    pub(super) key: i64,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
}

impl Work<'_> {
    /// When a session whose connection is there now passes, if nobody hears of it again.
    fn kept_until(&self) -> u64 {
        let ttl = self.settings.ttl;
        self.after(ttl + ttl / 4)
    }

    pub(super) fn after(&self, time: std::time::Duration) -> u64 {
        self.now.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn held(&self, lease: Lease) -> Result<Held, Failure> {
        let text = "SELECT key, received, sent, acknowledged, epoch FROM sessions WHERE id = ?1";
        let found = self.file.prepare_cached(text)?.query_row([lease.session.as_bytes()], |row| {
            let held =
                Held { key: row.get(0)?, received: uint(row, 1)?, sent: uint(row, 2)?, acknowledged: uint(row, 3)? };
            Ok((held, uint(row, 4)?))
        });
        match found.optional()? {
            Some((held, epoch)) if epoch == lease.epoch => Ok(held),
            // A lease that this file has yet to give: it is an older copy.
            Some((_, epoch)) if epoch < lease.epoch => Err(StoreError::Gone(Reason::Unknown).into()),
            Some(_) => Err(StoreError::Superseded.into()),
            None => Err(self.gone(lease.session)?.into()),
        }
    }

    fn gone(&self, id: SessionId) -> Result<StoreError, Failure> {
        let text = "SELECT 1 FROM overflown WHERE id = ?1 AND until > ?2";
        let overflown = self.file.prepare_cached(text)?.exists(params![id.as_bytes(), int(self.now)])?;
        Ok(StoreError::Gone(if overflown { Reason::Overflow } else { Reason::Unknown }))
    }

    pub(super) fn create(&self, new: &NewSession) -> Result<Lease, Failure> {
        let lease = Lease { session: new.id, epoch: 1 };
        let text = "SELECT secret FROM sessions WHERE id = ?1";
        let secret = self.file.prepare_cached(text)?.query_row([new.id.as_bytes()], |row| row.get::<_, [u8; 32]>(0));
        match secret.optional()? {
            Some(secret) if secret == new.secret.0 => return Ok(lease),
            Some(_) => return Err(StoreError::Gone(Reason::Unknown).into()),
            None => {}
        }
        let gone = self.gone(new.id)?;
        if gone == StoreError::Gone(Reason::Overflow) {
            return Err(gone.into());
        }
        if let Some(user) = &new.user {
            let text = "SELECT count(*) FROM sessions WHERE user = ?1";
            let count = self.file.prepare_cached(text)?.query_row([user], |row| uint(row, 0))?;
            if count >= self.settings.sessions_per_user as u64 {
                return Err(StoreError::TooManySessions.into());
            }
        }
        let text = "INSERT INTO sessions (id, secret, user, alias, epoch, connected, expires, received, sent, acknowledged, \
                    bytes) VALUES (?1, ?2, ?3, ?4, 1, 1, ?5, 0, 0, 0, 0)";
        self.file.prepare_cached(text)?.execute(params![
            new.id.as_bytes(),
            new.secret.0,
            new.user,
            bits(new.alias),
            int(self.kept_until()),
        ])?;
        Ok(lease)
    }

    pub(super) fn claim(&mut self, session: SessionId, secret: SecretHash, received: u64) -> Result<Claim, Failure> {
        let text = "UPDATE sessions SET epoch = epoch + 1, connected = 1 WHERE id = ?1 AND secret = ?2 AND expires > ?3 \
                    AND acknowledged <= ?4 RETURNING key, epoch, received, sent, acknowledged, user, alias";
        let found = self.file.prepare_cached(text)?.query_row(
            params![session.as_bytes(), secret.0, int(self.now), int(received)],
            |row| {
                let resumed = Resumed {
                    lease: Lease { session, epoch: uint(row, 1)? },
                    received: uint(row, 2)?,
                    user: row.get(5)?,
                    alias: alias(row, 6)?,
                };
                let held = Held {
                    key: row.get(0)?,
                    received: resumed.received,
                    sent: uint(row, 3)?,
                    acknowledged: uint(row, 4)?,
                };
                Ok((held, resumed))
            },
        );
        let Some((held, resumed)) = found.optional()? else { return Ok(Claim::Unknown) };
        if received > held.sent {
            self.remove_and_report(held.key)?;
            return Ok(Claim::Unknown);
        }
        self.forget(&held, received)?;
        self.expire_at(held.key, self.kept_until())?;
        self.news.push(session);
        Ok(Claim::Resumed(resumed))
    }

    /// The inner result is an answer to a transaction that is made all the same.
    pub(super) fn commit(&mut self, lease: Lease, messages: Vec<Committed>) -> Result<Result<(), StoreError>, Failure> {
        let held = self.held(lease)?;
        let (messages, last) = fresh(messages, held.received)?;
        if messages.is_empty() {
            return Ok(Ok(()));
        }
        let text = "UPDATE sessions SET received = ?2 WHERE key = ?1";
        self.file.prepare_cached(text)?.execute(params![held.key, int(last)])?;
        for message in messages {
            self.run(Some(held.key), message.effects)?;
        }
        self.still_there(lease.session)
    }

    pub(super) fn apply(
        &mut self,
        session: Option<SessionId>,
        effects: Vec<Effect>,
    ) -> Result<Result<(), StoreError>, Failure> {
        let Some(session) = session else {
            self.run(None, effects)?;
            return Ok(Ok(()));
        };
        let text = "SELECT key FROM sessions WHERE id = ?1";
        let key = self.file.prepare_cached(text)?.query_row([session.as_bytes()], |row| row.get(0)).optional()?;
        let Some(key) = key else { return Err(self.gone(session)?.into()) };
        self.run(Some(key), effects)?;
        self.still_there(session)
    }

    /// The session may have overflown by what it did.
    fn still_there(&self, session: SessionId) -> Result<Result<(), StoreError>, Failure> {
        let text = "SELECT 1 FROM sessions WHERE id = ?1";
        let there = self.file.prepare_cached(text)?.exists([session.as_bytes()])?;
        Ok(if there { Ok(()) } else { Err(self.gone(session)?) })
    }

    pub(super) fn read(&self, lease: Lease, after: u64, most: usize, bytes: usize) -> Result<Vec<Outgoing>, Failure> {
        let held = self.held(lease)?;
        if after > held.sent {
            return Err(StoreError::Gone(Reason::Unknown).into());
        }
        let text =
            "SELECT number, text, payload FROM outbox WHERE session = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
        let mut statement = self.file.prepare_cached(text)?;
        let mut rows = statement.query(params![held.key, int(after), int(most as u64)])?;
        let mut messages = Vec::new();
        let mut total = 0;
        while let Some(row) = rows.next()? {
            let payload = payload(row, 1, 2)?;
            total += payload.len();
            messages.push(Outgoing { number: uint(row, 0)?, payload });
            if total >= bytes {
                break;
            }
        }
        Ok(messages)
    }

    pub(super) fn acknowledge(&self, lease: Lease, up_to: u64) -> Result<(), Failure> {
        let held = self.held(lease)?;
        if up_to > held.sent {
            return Err(StoreError::Gone(Reason::Unknown).into());
        }
        self.forget(&held, up_to)
    }

    fn forget(&self, held: &Held, up_to: u64) -> Result<(), Failure> {
        let up_to = up_to.min(held.sent);
        if up_to <= held.acknowledged {
            return Ok(());
        }
        let text = "UPDATE sessions SET acknowledged = ?2, bytes = bytes - (SELECT coalesce(sum(length(payload)), 0) \
                    FROM outbox WHERE session = ?1 AND number <= ?2) WHERE key = ?1";
        self.file.prepare_cached(text)?.execute(params![held.key, int(up_to)])?;
        let text = "DELETE FROM outbox WHERE session = ?1 AND number <= ?2";
        self.file.prepare_cached(text)?.execute(params![held.key, int(up_to)])?;
        Ok(())
    }

    fn expire_at(&self, key: i64, at: u64) -> Result<(), Failure> {
        let text = "UPDATE sessions SET expires = ?2 WHERE key = ?1";
        self.file.prepare_cached(text)?.execute(params![key, int(at)])?;
        Ok(())
    }

    pub(super) fn keep(&self, leases: &[Lease]) -> Result<(), Failure> {
        let until = int(self.kept_until());
        let text = "UPDATE sessions SET expires = ?3 WHERE id = ?1 AND epoch = ?2 AND connected";
        let mut statement = self.file.prepare_cached(text)?;
        for lease in leases {
            statement.execute(params![lease.session.as_bytes(), int(lease.epoch), until])?;
        }
        Ok(())
    }

    pub(super) fn release(&self, lease: Lease) -> Result<(), Failure> {
        let text = "UPDATE sessions SET connected = 0, expires = ?3 WHERE id = ?1 AND epoch = ?2 AND connected";
        let until = int(self.after(self.settings.ttl));
        self.file.prepare_cached(text)?.execute(params![lease.session.as_bytes(), int(lease.epoch), until])?;
        Ok(())
    }

    pub(super) fn end(&mut self, lease: Lease) -> Result<Option<Ended>, Failure> {
        match self.held(lease) {
            Ok(held) => Ok(Some(self.remove(held.key)?)),
            Err(Failure::Refused(_)) => Ok(None),
            Err(failed) => Err(failed),
        }
    }
}
