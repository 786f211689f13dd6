//! What only a file has to show.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redial_server::store::{Claim, SqliteStore, StoreError, StoreSettings};
use rusqlite::Connection;

use crate::laws::*;
use crate::rig::Store;

fn open(path: &Path) -> Store {
    Arc::new(SqliteStore::open(path, StoreSettings::default()).unwrap())
}

fn refusal(path: &Path) -> String {
    match SqliteStore::open(path, StoreSettings::default()) {
        Err(StoreError::Unavailable(why)) => why,
        outcome => panic!("{outcome:?}"),
    }
}

/// What a process that is killed at this moment leaves, and what a machine's power that fails: only what is in the files.
fn copy(path: &Path, to: &str) -> PathBuf {
    let copy = path.with_file_name(to);
    std::fs::copy(path, &copy).unwrap();
    std::fs::copy(path.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
    copy
}

#[tokio::test]
async fn what_was_answered_is_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.db");
    let store = open(&path);
    let leases = room(&store, "r", [1, 2]).await;
    for number in 2..=50 {
        let said = message(number, vec![reply("own"), say("r", &number.to_string())]);
        store.commit(leases[0], vec![said]).await.unwrap();
        if number % 10 != 0 {
            continue;
        }
        let found = open(&copy(&path, &format!("{number}.db")));
        let claimed = resumed(found.claim(id(1), secret(1), 0).await.unwrap());
        assert_eq!(claimed.received, number);
        assert_eq!(outbox(&found, claimed.lease).await, outbox(&store, leases[0]).await);
        let claimed = resumed(found.claim(id(2), secret(2), 0).await.unwrap());
        assert_eq!(outbox(&found, claimed.lease).await, outbox(&store, leases[1]).await);
        let history = found.history("r", None, 1).await.unwrap();
        assert_eq!(past(&history), [format!("{} {number}", number - 1)]);
    }
    store.acknowledge(leases[0], 90).await.unwrap();
    store.release(leases[0]).await.unwrap();
    store.end(leases[1]).await.unwrap();
    let found = open(&copy(&path, "end.db"));
    assert_eq!(found.claim(id(2), secret(2), 0).await.unwrap(), Claim::Unknown);
    assert_eq!(found.members("r").await.unwrap().len(), 1);
    let claimed = resumed(found.claim(id(1), secret(1), 90).await.unwrap());
    assert_eq!(outbox(&found, claimed.lease).await.len(), 8);
}

#[tokio::test]
async fn a_file_that_is_closed_can_be_opened_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    for n in 0..5 {
        let store = open(&path);
        assert_eq!(store.totals().await.unwrap().sessions, u64::from(n));
        let lease = room(&store, "r", [n]).await[0];
        assert!(store.members("r").await.unwrap().last().unwrap().connected);
        drop(store);
        // Nobody is connected to a process that has only begun.
        let store = open(&path);
        assert!(!store.members("r").await.unwrap().last().unwrap().connected);
        // A lease is no less for that.
        store.commit(lease, vec![]).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_is_one_process_s() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = open(&path);
    assert_eq!(refusal(&path), format!("{} is in use by another process", path.display()));
    room(&store, "r", [1]).await;
}

#[tokio::test]
async fn a_file_of_something_else_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = |name: &str| format!("{} is not a file of redial's sessions", folder.path().join(name).display());

    let text = folder.path().join("text");
    std::fs::write(&text, "Dear diary, today I wrote a file that has nothing to do with sessions.\n".repeat(100))
        .unwrap();
    assert_eq!(refusal(&text), foreign("text"));

    let other = folder.path().join("other");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    let before = std::fs::read(&other).unwrap();
    assert_eq!(refusal(&other), foreign("other"));
    assert_eq!(std::fs::read(&other).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);

    let marked = folder.path().join("marked");
    Connection::open(&marked).unwrap().pragma_update(None, "application_id", 7).unwrap();
    assert_eq!(refusal(&marked), foreign("marked"));
}

#[tokio::test]
async fn a_newer_version_s_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    drop(open(&path));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let expected = format!("{} was written by a newer redial (version 2, known is 1)", path.display());
    assert_eq!(refusal(&path), expected);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere/sessions.db");
    let why = refusal(&path);
    assert!(why.starts_with(&format!("{}: ", path.display())), "{why}");
}

#[tokio::test]
async fn a_folder_in_place_of_a_file_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let why = refusal(folder.path());
    assert!(why.contains("Is a directory"), "{why}");
}

/// `how` SQLite ends what it can't do: with `ABORT` the statement, with `ROLLBACK` (as where the disk is full) the whole
/// transaction.
async fn one_fails_among_others(how: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = open(&path);
    let leases = room(&store, "r", [1, 2]).await;
    drop(store);
    let trigger = format!(
        "CREATE TRIGGER full BEFORE INSERT ON outbox WHEN length(NEW.payload) > 1000 BEGIN SELECT RAISE({how}, 'full'); END"
    );
    Connection::open(&path).unwrap().execute_batch(&trigger).unwrap();
    let store = open(&path);
    // In whatever transactions they come together: each is done wholly or not at all, and can be tried again.
    for number in 2..=20 {
        let small = vec![message(number, vec![say("r", "a")])];
        let big = vec![message(2, vec![say("r", "b"), reply(&"x".repeat(2_000))])];
        let calls = (store.commit(leases[0], small.clone()), store.commit(leases[1], big));
        let (done, failed) = futures_util::future::join(calls.0, calls.1).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
        if done.is_err() {
            assert_eq!(how, "ROLLBACK");
            store.commit(leases[0], small).await.unwrap();
        }
        let said = usize::try_from(number).unwrap() - 1;
        assert_eq!(store.history("r", None, 1_000).await.unwrap().len(), said);
        assert_eq!(outbox(&store, leases[1]).await.len(), said);
    }
}

#[tokio::test]
async fn a_call_that_fails_takes_nothing_from_the_others() {
    one_fails_among_others("ABORT").await;
}

#[tokio::test]
async fn a_full_disk_fails_all_that_wait_and_none_by_half() {
    one_fails_among_others("ROLLBACK").await;
}
