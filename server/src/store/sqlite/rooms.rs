//! What goes to many, and what ends.

use redial_session::Payload;
use rusqlite::{OptionalExtension, params};

use super::sessions::{alias, id, int, payload, uint};
use super::writer::{Failure, Work};
use crate::store::{Effect, Ended, Member, Past, Totals};

impl Work<'_> {
    /// Does all of them, for the session with this key or for none.
    pub(super) fn run(&mut self, own: Option<i64>, effects: Vec<Effect>) -> Result<(), Failure> {
        for effect in effects {
            match (effect, own) {
                (Effect::Reply(payload), Some(own)) => self.put("key = ?1", own, 0, &payload)?,
                (Effect::Broadcast { room, payload, to_self, keep }, own) => {
                    let except = if to_self { None } else { own };
                    self.broadcast(&room, &payload, except, keep)?;
                }
                (Effect::Join(room), Some(own)) => {
                    // Who has overflown is nowhere any more.
                    let text =
                        "INSERT OR IGNORE INTO members (room, session) SELECT ?1, key FROM sessions WHERE key = ?2";
                    let room = self.room_or_new(&room)?;
                    if self.file.prepare_cached(text)?.execute([room, own])? == 0 {
                        self.close(room)?;
                    }
                }
                (Effect::Leave(room), Some(own)) => {
                    let Some(room) = self.room(&room)? else { continue };
                    let text = "DELETE FROM members WHERE room = ?1 AND session = ?2";
                    self.file.prepare_cached(text)?.execute([room, own])?;
                    self.close(room)?;
                }
                (Effect::Reply(_) | Effect::Join(_) | Effect::Leave(_), None) => {}
            }
        }
        Ok(())
    }

    fn broadcast(&mut self, room: &str, payload: &Payload, except: Option<i64>, keep: bool) -> Result<(), Failure> {
        if keep && self.settings.history_messages > 0 {
            let room = self.room_or_new(room)?;
            let text = "UPDATE rooms SET last = last + 1 WHERE key = ?1 RETURNING last";
            let last = self.file.prepare_cached(text)?.query_row([room], |row| uint(row, 0))?;
            let text = "INSERT INTO history (room, number, at, text, payload) VALUES (?1, ?2, ?3, ?4, ?5)";
            let (at, number) = (int(self.now), int(last));
            self.file.prepare_cached(text)?.execute(params![
                room,
                number,
                at,
                payload.is_text(),
                &payload.bytes()[..]
            ])?;
            let text = "DELETE FROM history WHERE room = ?1 AND number <= ?2";
            let oldest = int(last.saturating_sub(self.settings.history_messages as u64));
            self.file.prepare_cached(text)?.execute([room, oldest])?;
        }
        let Some(room) = self.room(room)? else { return Ok(()) };
        // No session has the key 0.
        let members = "key IN (SELECT session FROM members WHERE room = ?1 AND session <> ?2)";
        self.put(members, room, except.unwrap_or(0), payload)
    }

    /// Into the outboxes of these sessions. Those that it would be too much for are ended.
    fn put(&mut self, which: &str, first: i64, second: i64, payload: &Payload) -> Result<(), Failure> {
        let length = int(payload.len() as u64);
        let full = format!(
            "SELECT key, id FROM sessions WHERE {which} AND ?2 = ?2 \
             AND (sent - acknowledged >= ?3 OR bytes + ?4 > ?5) ORDER BY key"
        );
        let (most, most_bytes) = (self.settings.outbox_messages as u64, self.settings.outbox_bytes as u64);
        let limits = params![first, second, int(most), length, int(most_bytes)];
        let full = self
            .file
            .prepare_cached(&full)?
            .query_map(limits, |row| Ok((row.get(0)?, id(row, 1)?)))?
            .collect::<Result<Vec<_>, _>>()?;
        for (key, id) in full {
            let text = "INSERT OR REPLACE INTO overflown (id, until) VALUES (?1, ?2)";
            let until = int(self.after(self.settings.ttl));
            self.file.prepare_cached(text)?.execute(params![id.as_bytes(), until])?;
            self.remove_and_report(key)?;
        }
        let insert = format!(
            "INSERT INTO outbox (session, number, text, payload) \
             SELECT key, sent + 1, ?3, ?4 FROM sessions WHERE {which} AND ?2 = ?2"
        );
        let content = params![first, second, payload.is_text(), &payload.bytes()[..]];
        self.file.prepare_cached(&insert)?.execute(content)?;
        let update =
            format!("UPDATE sessions SET sent = sent + 1, bytes = bytes + ?3 WHERE {which} AND ?2 = ?2 RETURNING id");
        let mut update = self.file.prepare_cached(&update)?;
        for id in update.query_map([first, second, length], |row| id(row, 0))? {
            self.news.push(id?);
        }
        Ok(())
    }

    fn room(&self, name: &str) -> Result<Option<i64>, Failure> {
        let text = "SELECT key FROM rooms WHERE name = ?1";
        Ok(self.file.prepare_cached(text)?.query_row([name], |row| row.get(0)).optional()?)
    }

    fn room_or_new(&self, name: &str) -> Result<i64, Failure> {
        if let Some(room) = self.room(name)? {
            return Ok(room);
        }
        let text = "INSERT INTO rooms (name, last) VALUES (?1, 0)";
        Ok(self.file.prepare_cached(text)?.insert([name])?)
    }

    /// Forgets the room, if nothing of it is left.
    fn close(&self, room: i64) -> Result<(), Failure> {
        let text = "DELETE FROM rooms WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM members WHERE room = ?1) \
                    AND NOT EXISTS (SELECT 1 FROM history WHERE room = ?1)";
        self.file.prepare_cached(text)?.execute([room])?;
        Ok(())
    }

    /// Ends a session: nothing of it is left.
    pub(super) fn remove(&mut self, key: i64) -> Result<Ended, Failure> {
        let text = "DELETE FROM sessions WHERE key = ?1 RETURNING id, alias, user";
        let (id, alias, user) =
            self.file.prepare_cached(text)?.query_row([key], |row| Ok((id(row, 0)?, alias(row, 1)?, row.get(2)?)))?;
        let text = "SELECT rooms.key, rooms.name FROM members JOIN rooms ON rooms.key = members.room \
                    WHERE members.session = ?1 ORDER BY members.turn";
        let rooms: Vec<(i64, String)> = self
            .file
            .prepare_cached(text)?
            .query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        self.file.prepare_cached("DELETE FROM outbox WHERE session = ?1")?.execute([key])?;
        self.file.prepare_cached("DELETE FROM members WHERE session = ?1")?.execute([key])?;
        for (room, _) in &rooms {
            self.close(*room)?;
        }
        self.news.push(id);
        Ok(Ended { alias, user, rooms: rooms.into_iter().map(|(_, name)| name).collect() })
    }

    /// Ends a session that no call of `end` ended: it is reported later.
    pub(super) fn remove_and_report(&mut self, key: i64) -> Result<(), Failure> {
        let ended = self.remove(key)?;
        let text = "INSERT INTO ended (alias, user) VALUES (?1, ?2)";
        let report = self.file.prepare_cached(text)?.insert(params![super::sessions::bits(ended.alias), ended.user])?;
        let text = "INSERT INTO ended_rooms (ended, turn, room) VALUES (?1, ?2, ?3)";
        for (turn, room) in (0_i64..).zip(ended.rooms) {
            self.file.prepare_cached(text)?.execute(params![report, turn, room])?;
        }
        Ok(())
    }

    pub(super) fn expire(&mut self, most: usize) -> Result<Vec<Ended>, Failure> {
        let limit = int(most as u64);
        for sweep in [
            "DELETE FROM counts WHERE key IN (SELECT key FROM counts WHERE until <= ?1 LIMIT ?2)",
            "DELETE FROM overflown WHERE id IN (SELECT id FROM overflown WHERE until <= ?1 LIMIT ?2)",
        ] {
            self.file.prepare_cached(sweep)?.execute([int(self.now), limit])?;
        }
        let text = "SELECT key, alias, user FROM ended ORDER BY key LIMIT ?1";
        let reports: Vec<(i64, u64, Option<String>)> = self
            .file
            .prepare_cached(text)?
            .query_map([limit], |row| Ok((row.get(0)?, alias(row, 1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        let mut all = Vec::new();
        for (key, alias, user) in reports {
            let text = "SELECT room FROM ended_rooms WHERE ended = ?1 ORDER BY turn";
            let mut rooms = self.file.prepare_cached(text)?;
            let rooms = rooms.query_map([key], |row| row.get(0))?.collect::<Result<_, _>>()?;
            all.push(Ended { alias, user, rooms });
            self.file.prepare_cached("DELETE FROM ended_rooms WHERE ended = ?1")?.execute([key])?;
            self.file.prepare_cached("DELETE FROM ended WHERE key = ?1")?.execute([key])?;
        }
        let text = "SELECT key FROM sessions WHERE expires <= ?1 ORDER BY expires LIMIT ?2";
        let rest = int((most - all.len()) as u64);
        let due: Vec<i64> = self
            .file
            .prepare_cached(text)?
            .query_map([int(self.now), rest], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for key in due {
            all.push(self.remove(key)?);
        }
        Ok(all)
    }

    pub(super) fn history(&self, room: &str, before: Option<u64>, most: usize) -> Result<Vec<Past>, Failure> {
        let text = "SELECT number, at, text, payload FROM history \
                    WHERE room = (SELECT key FROM rooms WHERE name = ?1) AND number < ?2 ORDER BY number DESC LIMIT ?3";
        let mut statement = self.file.prepare_cached(text)?;
        let before = int(before.unwrap_or(u64::MAX));
        let past = statement.query_map(params![room, before, int(most as u64)], |row| {
            Ok(Past { number: uint(row, 0)?, at_millis: uint(row, 1)?, payload: payload(row, 2, 3)? })
        })?;
        let mut past = past.collect::<Result<Vec<_>, _>>()?;
        past.reverse();
        Ok(past)
    }

    pub(super) fn members(&self, room: &str) -> Result<Vec<Member>, Failure> {
        let text = "SELECT alias, user, connected FROM members JOIN sessions ON sessions.key = members.session \
                    WHERE members.room = (SELECT key FROM rooms WHERE name = ?1) ORDER BY members.turn";
        let mut statement = self.file.prepare_cached(text)?;
        let members = statement
            .query_map([room], |row| Ok(Member { alias: alias(row, 0)?, user: row.get(1)?, connected: row.get(2)? }))?;
        Ok(members.collect::<Result<_, _>>()?)
    }

    pub(super) fn count(&self, key: &str) -> Result<u64, Failure> {
        let text = "INSERT INTO counts (key, count, until) VALUES (?1, 1, ?2) ON CONFLICT (key) DO UPDATE SET \
                    count = CASE WHEN until <= ?3 THEN 1 ELSE count + 1 END, until = excluded.until RETURNING count";
        let until = int(self.after(self.settings.ttl));
        let mut statement = self.file.prepare_cached(text)?;
        Ok(statement.query_row(params![key, until, int(self.now)], |row| uint(row, 0))?)
    }

    pub(super) fn totals(&self) -> Result<Totals, Failure> {
        let text = "SELECT count(*), coalesce(sum(sent - acknowledged), 0) FROM sessions";
        let totals =
            |row: &rusqlite::Row<'_>| Ok(Totals { sessions: uint(row, 0)?, outbox_messages: Some(uint(row, 1)?) });
        Ok(self.file.prepare_cached(text)?.query_row([], totals)?)
    }
}
