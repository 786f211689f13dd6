//! The scripts: each a transaction.

use redis::Script;

/// What must not change anything.
const READS: &str = "#!lua flags=no-writes\n";

/// What frees memory, and so must run where there is none left.
const FREES: &str = "#!lua flags=allow-oom\n";

/// What is refused as a whole where there is no memory left.
const WRITES: &str = "#!lua\n";

const PRELUDE: &str = include_str!("lua/prelude.lua");
const EFFECTS: &str = include_str!("lua/effects.lua");

pub(super) struct Scripts {
    pub(super) hello: Script,
    pub(super) create: Script,
    pub(super) claim: Script,
    pub(super) commit: Script,
    pub(super) apply: Script,
    pub(super) read: Script,
    pub(super) acknowledge: Script,
    pub(super) keep: Script,
    pub(super) release: Script,
    pub(super) end: Script,
    pub(super) expire: Script,
    pub(super) history: Script,
    pub(super) members: Script,
    pub(super) count: Script,
    pub(super) totals: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let of = |kind: &str, parts: &[&str]| Script::new(&[&[kind, PRELUDE], parts].concat().concat());
        Self {
            hello: of(WRITES, &[include_str!("lua/hello.lua")]),
            create: of(WRITES, &[include_str!("lua/create.lua")]),
            claim: of(FREES, &[include_str!("lua/claim.lua")]),
            commit: of(WRITES, &[EFFECTS, include_str!("lua/commit.lua")]),
            apply: of(WRITES, &[EFFECTS, include_str!("lua/apply.lua")]),
            read: of(READS, &[include_str!("lua/read.lua")]),
            acknowledge: of(FREES, &[include_str!("lua/acknowledge.lua")]),
            keep: of(FREES, &[include_str!("lua/keep.lua")]),
            release: of(FREES, &[include_str!("lua/release.lua")]),
            end: of(FREES, &[include_str!("lua/end.lua")]),
            expire: of(FREES, &[include_str!("lua/expire.lua")]),
            history: of(READS, &[include_str!("lua/history.lua")]),
            members: of(READS, &[include_str!("lua/members.lua")]),
            count: of(WRITES, &[include_str!("lua/count.lua")]),
            totals: of(READS, &[include_str!("lua/totals.lua")]),
        }
    }
}
