//! `docs/laws.md` and `docs/states.md` are made from the laws' table and from the machine itself. A test fails where one
//! of them is stale; with `REDIAL_BLESS=1` it writes it anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod laws;
mod search;
mod states;

use std::path::{Path, PathBuf};

#[test]
fn laws_md_is_fresh() {
    is_fresh("laws.md", &laws::page());
}

#[test]
fn states_md_is_fresh() {
    is_fresh("states.md", &states::page(&search::search()));
}

/// The search stops at a bound; a long walk at any times finds nothing beyond it.
#[test]
fn no_walk_leaves_the_diagram() {
    let found = search::search();
    let drawn = found.edges.keys().copied().collect();
    let walked = search::walk(30_000);
    let beyond: Vec<_> = walked.difference(&drawn).collect();
    assert!(beyond.is_empty(), "walked, but not drawn: {beyond:?}");
    assert!(walked.len() > drawn.len() / 2, "the walk saw only {} of {}", walked.len(), drawn.len());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn is_fresh(name: &str, page: &str) {
    let path = root().join("docs").join(name);
    if std::env::var_os("REDIAL_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, page).unwrap();
        return;
    }
    let now = std::fs::read_to_string(&path).unwrap_or_default();
    let line = now.lines().zip(page.lines()).take_while(|(now, new)| now == new).count() + 1;
    assert!(
        now == page,
        "docs/{name} is stale from line {line} on; write it anew with: REDIAL_BLESS=1 cargo test -p redial --test docs"
    );
}
