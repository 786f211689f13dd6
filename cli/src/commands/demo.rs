//! `redial demo`: everything in one process.

use crate::args::{DemoArgs, ServeArgs};
use crate::failure::Failure;
use crate::{demo, seed};

pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    if let Some(listen) = args.page {
        return super::serve::run(&ServeArgs::show(listen, args.json));
    }
    let seed = seed::given_or_drawn(args.seed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(demo::run(args, seed))
}
