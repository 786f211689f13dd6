//! The command `redial`, and the [faulty network](chaos) that its demo runs on, which is of use in tests.

mod args;
pub mod chaos;
mod commands;
mod connect;
mod demo;
mod describe;
mod failure;
mod page;
mod policy_source;
mod seed;
mod serve;
mod session_events;
mod signals;
mod status;
mod text;

use std::process::ExitCode;

use args::Command;

/// Runs the command of this process's arguments.
///
/// Exit status: 0 done, 1 a check failed, 2 bad usage or policy, 3 gave up at a limit, 4 stopped by a verdict.
#[must_use]
pub fn main() -> ExitCode {
    let result = args::parse().and_then(|args| match args.command {
        Command::Schedule(args) => commands::schedule::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Connect(args) => commands::connect::run(&args),
        Command::Demo(args) => commands::demo::run(&args),
        Command::Chaos(args) => commands::chaos::run(&args),
        Command::Serve(args) => commands::serve::run(&args),
        Command::Status(args) => commands::status::run(&args),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
