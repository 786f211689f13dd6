//! `redial serve`: the chat server.

use crate::args::ServeArgs;
use crate::failure::Failure;
use crate::serve;

pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(serve::run(args));
    // Whoever asked twice does not want to wait.
    runtime.shutdown_background();
    result
}
