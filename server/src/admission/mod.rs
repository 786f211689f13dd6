//! Who may come in.

pub(crate) mod address;
pub(crate) mod bearer;
pub(crate) mod bucket;
pub(crate) mod gate;
pub(crate) mod origin;
