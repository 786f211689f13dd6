//! Which store, in words.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use redial_server::store::{MemoryStore, RedisStore, SessionStore, SqliteStore, StoreError, StoreSettings};

use crate::failure::Failure;
use crate::text;

/// Where sessions live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    Memory,
    Sqlite(PathBuf),
    Redis(String),
}

impl StoreKind {
    /// # Errors
    /// What is allowed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(path.into()));
        }
        let place = ["redis://", "rediss://", "redis+unix://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        match place {
            Some(place) if !place.is_empty() => Ok(Self::Redis(text.to_owned())),
            Some(_) | None => {
                Err("allowed: memory, sqlite:PATH, redis[s]://[USER:PASSWORD@]HOST[:PORT][/DATABASE]".into())
            }
        }
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite(_) => "sqlite",
            Self::Redis(_) => "redis",
        }
    }

    pub(super) async fn open(&self, settings: StoreSettings) -> Result<Arc<dyn SessionStore>, Failure> {
        let failed = |error: StoreError| {
            // The reason says it all; that it can't be reached is clear from where this is said.
            let why = if let StoreError::Unavailable(why) = &error { why.clone() } else { error.to_string() };
            Failure::check(format_args!("--store {self}: {why}"))
        };
        Ok(match self {
            Self::Memory => Arc::new(MemoryStore::new(settings)),
            Self::Sqlite(path) => Arc::new(SqliteStore::open(path, settings).map_err(failed)?),
            Self::Redis(url) => Arc::new(RedisStore::connect(url, settings).await.map_err(failed)?),
        })
    }
}

/// Without a password.
impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Redis(url) => f.write_str(&text::url(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_in_words() {
        assert_eq!(StoreKind::parse("memory"), Ok(StoreKind::Memory));
        assert_eq!(StoreKind::parse("sqlite:a:b"), Ok(StoreKind::Sqlite("a:b".into())));
        let redis = StoreKind::parse("redis://me:secret@host:1/2").unwrap();
        assert_eq!((redis.kind(), redis.to_string().as_str()), ("redis", "redis://…@host:1/2"));
        for bad in ["", "Memory", "sqlite", "sqlite:", "redis", "redis:", "redis://", "file.db", "postgres://x"] {
            assert!(StoreKind::parse(bad).unwrap_err().contains("sqlite:PATH"), "{bad}");
        }
    }
}
