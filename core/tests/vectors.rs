//! The golden vectors: traces with their outputs, replayed.

#![cfg(feature = "trace")]

use redial::trace::Trace;

#[test]
fn every_vector_replays_to_its_outputs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let trace = Trace::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let last = trace.lines.last().unwrap().at;
        if let Err(difference) = trace.check(trace.machine(), Some(last)) {
            panic!("{}: {difference}", path.display());
        }
        assert!(trace.outputs().count() > 0, "{} has no outputs", path.display());
        seen += 1;
    }
    assert!(seen >= 6, "{seen} vectors");
}
