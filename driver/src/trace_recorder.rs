//! A recording as a trace.

use std::io;
use std::num::NonZeroU32;

use redial::trace::{Header, Writer};
use redial::{Input, Output, Policy, Timestamp};

use crate::recorder::Record;

/// Writes everything that the machine was told and answered as a trace (JSON Lines), for `redial replay`.
///
/// After the first write that fails it writes nothing more and keeps the error.
///
/// ```
/// use redial::Policy;
/// use redial::trace::Trace;
/// use redial_driver::testing::Sim;
/// use redial_driver::{Reconnecting, TraceRecorder};
///
/// let sim = Sim::new();
/// let mut file = Vec::new();
/// let mut connection = Reconnecting::builder(sim.clock(), sim.connector(), Policy::chat(), 7)
///     .recorder(TraceRecorder::new(&mut file))
///     .build();
/// sim.block_on(connection.close());
/// assert!(connection.recorder_mut().error().is_none());
/// drop(connection);
/// let trace = Trace::parse(core::str::from_utf8(&file)?)?;
/// assert!(trace.check(trace.machine(), None).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TraceRecorder<W> {
    writer: Writer<W>,
    error: Option<io::Error>,
}

impl<W: io::Write> TraceRecorder<W> {
    /// A recorder that writes each line with one call.
    pub const fn new(sink: W) -> Self {
        Self { writer: Writer::new(sink), error: None }
    }

    /// Why the recording is not complete, if it is not.
    pub const fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    fn write(&mut self, write: impl FnOnce(&mut Writer<W>) -> io::Result<()>) {
        if self.error.is_none() {
            self.error = write(&mut self.writer).err();
        }
    }
}

impl<W: io::Write> Record for TraceRecorder<W> {
    fn begin(&mut self, policy: &Policy, seed: u64, endpoints: NonZeroU32) {
        let header = Header { policy: policy.clone(), seed, endpoints };
        self.write(|writer| writer.header(&header));
    }

    fn input(&mut self, at: Timestamp, input: &Input) {
        self.write(|writer| writer.input(at, input));
    }

    fn output(&mut self, at: Timestamp, output: &Output) {
        self.write(|writer| writer.output(at, output));
    }
}
