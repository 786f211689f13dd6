//! The tokens that let clients in.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::Path;

use redial_server::TokenRefused;

use crate::failure::Failure;

/// Tokens, and whose they are. They come from a file: what is on a command line everybody can see.
pub(super) struct Tokens(HashMap<String, Option<String>>);

impl Tokens {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let named = |problem: &dyn fmt::Display| Failure::usage(format_args!("--tokens {}: {problem}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| named(&error))?;
        let lines = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next().map(str::to_owned)))
        });
        let tokens: HashMap<_, _> = lines.collect();
        // Surely not to keep everybody out.
        if tokens.is_empty() {
            return Err(named(&"no token; a line is TOKEN, or TOKEN and its user"));
        }
        Ok(Self(tokens))
    }

    pub(super) fn check(&self, token: &str) -> Result<Option<String>, TokenRefused> {
        self.0.get(token).cloned().ok_or(TokenRefused::Invalid)
    }
}
