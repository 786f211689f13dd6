//! What is fuzzed: one function a target, which panics where a rule is broken.
//!
//! `scripts/fuzz` runs them under libFuzzer. `tests/corpus.rs` runs them over the corpora with nothing but a stable
//! toolchain.

mod budget;
mod frame;
mod http_date;
mod machine;
mod policy;
mod session_bytes;
mod session_client;
mod session_server;
mod snapshot;
mod text;
mod trace;
mod verdicts;
mod walk;

pub use budget::budget;
pub use frame::frame;
pub use machine::machine;
pub use policy::policy;
pub use session_client::session_client;
pub use session_server::session_server;
pub use snapshot::snapshot;
pub use trace::trace;
pub use verdicts::verdicts;

/// A target with its name, for whoever runs them all.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("budget", budget),
    ("frame", frame),
    ("machine", machine),
    ("policy", policy),
    ("session_client", session_client),
    ("session_server", session_server),
    ("snapshot", snapshot),
    ("trace", trace),
    ("verdicts", verdicts),
];

/// libFuzzer's entry point for a target; outside of a fuzzer there is nothing to run.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::$name(bytes));

        #[cfg(not(fuzzing))]
        fn main() {}
    };
}
