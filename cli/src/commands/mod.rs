//! One file a command.

pub(crate) mod chaos;
pub(crate) mod connect;
pub(crate) mod demo;
pub(crate) mod replay;
pub(crate) mod schedule;
pub(crate) mod serve;
pub(crate) mod status;
