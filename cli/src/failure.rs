//! Every way in which a command ends badly, with its exit status and its one line.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// A command's bad end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Bad usage, policy or input: status 2.
    Usage(String),
    /// A check failed, or the system did: status 1.
    Check(String),
    /// The connection was given up at a limit: status 3. The events have told all.
    GaveUp,
    /// The connection was given up by a verdict: status 4. The events have told all.
    Stopped,
    /// The text that was asked for, such as `--help`: status 0.
    Help(String),
    /// Whoever read our output went away: status 0, as for `head`.
    ReaderGone,
}

impl Failure {
    pub(crate) fn usage(problem: impl Display) -> Self {
        Self::Usage(problem.to_string())
    }

    pub(crate) fn check(problem: impl Display) -> Self {
        Self::Check(problem.to_string())
    }

    /// Says what is to be said and gives the exit status.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Usage(problem) => {
                complain(&problem);
                ExitCode::from(2)
            }
            Self::Check(problem) => {
                complain(&problem);
                ExitCode::from(1)
            }
            Self::GaveUp => ExitCode::from(3),
            Self::Stopped => ExitCode::from(4),
            Self::Help(text) => {
                let _ = io::stdout().lock().write_all(text.as_bytes());
                ExitCode::SUCCESS
            }
            Self::ReaderGone => ExitCode::SUCCESS,
        }
    }
}

/// Failures of our own output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderGone
        } else {
            Self::check(format_args!("output: {error}"))
        }
    }
}

/// Where nobody listens, the exit status must do.
fn complain(problem: &str) {
    let _ = writeln!(io::stderr().lock(), "redial: {}", one_line(problem));
}

fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
