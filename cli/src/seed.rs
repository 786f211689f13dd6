//! The seed of a machine's draws.

use crate::failure::Failure;

/// The seed that was given, or one from the system's entropy: a default seed would give everyone the same "jitter".
pub(crate) fn given_or_drawn(given: Option<u64>) -> Result<u64, Failure> {
    match given {
        Some(seed) => Ok(seed),
        // 53 bits, so that it survives in any reader of a trace.
        None => match getrandom::u64() {
            Ok(drawn) => Ok(drawn >> 11),
            Err(error) => Err(Failure::check(format_args!("no entropy for a seed: {error}; give one with --seed"))),
        },
    }
}
