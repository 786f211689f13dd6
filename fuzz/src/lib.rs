//! What is fuzzed: one function a target, which panics where a rule is broken.
//!
//! `scripts/fuzz` runs them under libFuzzer. `tests/corpus.rs` runs them over the corpora with nothing but a stable
//! toolchain.

mod budget;
mod http_date;
mod machine;
mod policy;
mod snapshot;
mod text;
mod trace;
mod verdicts;
mod walk;

pub use budget::budget;
pub use machine::machine;
pub use policy::policy;
pub use snapshot::snapshot;
pub use trace::trace;
pub use verdicts::verdicts;

/// A target with its name, for whoever runs them all.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("budget", budget),
    ("machine", machine),
    ("policy", policy),
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
