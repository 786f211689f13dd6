//! The file: what is in it, and whether it is ours.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

/// In the file's header: `rdl1`. Other programs' files have other numbers, or none.
const APPLICATION_ID: i64 = 0x72_64_6c_31;

/// Of the tables below. Any change to them is a new version, and a way from each older one.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    secret BLOB NOT NULL,
    user TEXT,
    alias INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    connected INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    received INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_expiry ON sessions (expires);
CREATE INDEX sessions_by_user ON sessions (user) WHERE user IS NOT NULL;
CREATE TABLE outbox (
    session INTEGER NOT NULL,
    number INTEGER NOT NULL,
    text INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (session, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE rooms (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last INTEGER NOT NULL
) STRICT;
CREATE TABLE members (
    turn INTEGER PRIMARY KEY AUTOINCREMENT,
    room INTEGER NOT NULL,
    session INTEGER NOT NULL,
    UNIQUE (room, session)
) STRICT;
CREATE INDEX members_by_session ON members (session);
CREATE TABLE history (
    room INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    text INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (room, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE overflown (id BLOB PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ended (key INTEGER PRIMARY KEY AUTOINCREMENT, alias INTEGER NOT NULL, user TEXT) STRICT;
CREATE TABLE ended_rooms (
    ended INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    room TEXT NOT NULL,
    PRIMARY KEY (ended, turn)
) STRICT, WITHOUT ROWID;
CREATE TABLE counts (key TEXT PRIMARY KEY, count INTEGER NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX counts_by_time ON counts (until);
";

/// Opens the file, or makes it.
pub(super) fn open(path: &Path) -> Result<Connection, String> {
    // SQLite would only say that it can't.
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    file.map_err(|error| format!("{}: {error}", path.display()))?;
    // A path and nothing else: no URI, and no `:memory:`, which would keep nothing.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(Path::new(".").join(path), flags);
    let mut connection = opened.map_err(|error| format!("{}: {error}", path.display()))?;
    set_up(&mut connection).map_err(|refusal| match refusal {
        Refusal::Foreign => format!("{} is not a file of redial's sessions", path.display()),
        Refusal::Newer(version) => {
            format!("{} was written by a newer redial (version {version}, known is {VERSION})", path.display())
        }
        Refusal::Failed(error) => match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => format!("{} is not a file of redial's sessions", path.display()),
            Some(ErrorCode::DatabaseBusy) => format!("{} is in use by another process", path.display()),
            _ => format!("{}: {error}", path.display()),
        },
    })?;
    Ok(connection)
}

enum Refusal {
    Foreign,
    Newer(i64),
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

fn set_up(connection: &mut Connection) -> Result<(), Refusal> {
    // A process that was killed a moment ago may still hold its lock.
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Looks at the file before anything is changed in it, and locks it until the process ends.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let kind: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (kind, version, tables) {
        (0, 0, 0) | (APPLICATION_ID, VERSION, _) => {}
        (APPLICATION_ID, newer, _) if newer > VERSION => return Err(Refusal::Newer(newer)),
        _ => return Err(Refusal::Foreign),
    }
    // What a transaction wrote is in the log, and the log is on the disk, when the transaction ends.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
    if tables == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    // Whoever was connected was so to the process before this one.
    transaction.execute("UPDATE sessions SET connected = 0 WHERE connected", [])?;
    transaction.commit()?;
    Ok(())
}
