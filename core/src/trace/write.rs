//! Writes traces, line by line.

use std::io;

use serde::Serialize;

use super::Header;
use crate::input::Input;
use crate::output::Output;
use crate::policy::Policy;
use crate::time::Timestamp;

/// Writes a trace to anything that takes bytes; each line with one call, so that a crash cuts no line.
///
/// ```
/// use redial::trace::Writer;
/// use redial::{Input, Timestamp};
/// let mut text = Vec::new();
/// Writer::new(&mut text).input(Timestamp::from_micros(12_500), &Input::Start)?;
/// assert_eq!(text, b"{\"at\":12.5,\"input\":\"start\"}\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer<W> {
    sink: W,
}

impl<W: io::Write> Writer<W> {
    /// A writer to `sink`.
    pub const fn new(sink: W) -> Self {
        Self { sink }
    }

    /// Writes the header, which comes first.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn header(&mut self, header: &Header) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            redial: u8,
            policy: &'a Policy,
            seed: u64,
            endpoints: u32,
        }
        let Header { policy, seed, endpoints } = header;
        self.line(&Line { redial: 1, policy, seed: *seed, endpoints: endpoints.get() })
    }

    /// Writes what the machine was told.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn input(&mut self, at: Timestamp, input: &Input) -> io::Result<()> {
        self.line(&At { at, event: input })
    }

    /// Writes what it answered.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn output(&mut self, at: Timestamp, output: &Output) -> io::Result<()> {
        self.line(&At { at, event: output })
    }

    /// The sink.
    pub fn into_inner(self) -> W {
        self.sink
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.sink.write_all(&bytes)
    }
}

#[derive(Serialize)]
struct At<'a, E> {
    at: Timestamp,
    #[serde(flatten)]
    event: &'a E,
}
