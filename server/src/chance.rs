//! Random bits, of the operating system.

use redial_session::{Secret, SessionId};
use sha2::{Digest, Sha256};

use crate::store::SecretHash;

/// No random bits can be had: nothing that needs them may go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoRandomness;

fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// A session's id, its secret, and its alias.
pub(crate) fn identity() -> Result<(SessionId, Secret, u64), NoRandomness> {
    let alias = u64::from_le_bytes(bytes()?);
    Ok((SessionId::from_bytes(bytes()?), Secret::from_bytes(bytes()?), alias))
}

/// What the store keeps of a secret and of whose it is: the right secret in another user's hands is a wrong one, and disturbs
/// nobody. The secret has 128 random bits: no salt and no slow hash is needed.
pub(crate) fn hash(secret: &Secret, user: Option<&str>) -> SecretHash {
    let mut hash = Sha256::new_with_prefix(secret.as_bytes());
    if let Some(user) = user {
        // The byte tells a user without a name from nobody.
        hash.update([1]);
        hash.update(user);
    }
    SecretHash(hash.finalize().into())
}

/// A name for a client of the plain protocol that brings none.
pub(crate) fn name() -> Result<String, NoRandomness> {
    Ok(format!("{:032x}", u128::from_le_bytes(bytes()?)))
}

/// A number from 0 to 1, for spreading. Without random bits, the middle.
pub(crate) fn share() -> f64 {
    bytes().map_or(0.5, |bytes| f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}
