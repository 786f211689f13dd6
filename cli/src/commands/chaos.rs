//! `redial chaos`: the faulty network as a process.

use std::io;

use tokio::io::{BufReader, stderr, stdin};

use crate::args::ChaosArgs;
use crate::chaos::{Command, Proxy, console};
use crate::failure::Failure;

pub(crate) fn run(args: &ChaosArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let proxy = Proxy::bind(args.listen, args.upstream)
            .map_err(|error| Failure::check(format_args!("--listen {}: {error}", args.listen)))?;
        eprintln!(
            "listening on {}, upstream {}; commands on stdin: {}",
            proxy.local_addr(),
            args.upstream,
            Command::NAMES
        );
        let console = console(proxy.control(), BufReader::new(stdin()), stderr());
        tokio::select! {
            never = proxy.run() => match never {},
            // At the end of the commands the faults stay as they are, until Ctrl-C.
            result = async { console.await?; std::future::pending::<io::Result<()>>().await } => result?,
            result = tokio::signal::ctrl_c() => result?,
        }
        Ok(())
    })
}
