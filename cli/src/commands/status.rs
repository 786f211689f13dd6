//! `redial status`: one look at a server.

use crate::args::StatusArgs;
use crate::failure::Failure;
use crate::status;

pub(crate) fn run(args: &StatusArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(status::run(args));
    // A name that still resolves, in a thread of its own, is not waited for.
    runtime.shutdown_background();
    result
}
