//! `redial replay`: the machine over a trace, on a virtual clock.

use std::fs;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use redial::trace::{Trace, Writer};

use crate::args::ReplayArgs;
use crate::failure::Failure;
use crate::policy_source;

pub(crate) fn run(args: &ReplayArgs) -> Result<(), Failure> {
    let text = read(&args.trace)?;
    let named = |problem| Failure::usage(format_args!("{}: {problem}", args.trace.display()));
    let mut trace = Trace::parse(&text).map_err(named)?;
    trace.header.policy = policy_source::override_with(&args.policy, &trace.header.policy)?;
    trace.header.seed = args.seed.unwrap_or(trace.header.seed);

    if args.check {
        return trace.check(trace.machine(), args.until).map_err(Failure::check);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut writer = Writer::new(&mut out);
    let mut result = Ok(());
    trace.replay(trace.machine(), args.until, |at, output| {
        if result.is_ok() {
            result = writer.output(at, &output);
        }
    });
    result?;
    Ok(out.flush()?)
}

fn read(path: &Path) -> Result<String, Failure> {
    let named = |error: io::Error| Failure::usage(format_args!("{}: {error}", path.display()));
    if path.as_os_str() != "-" {
        return fs::read_to_string(path).map_err(named);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).map_err(named)?;
    Ok(text)
}
