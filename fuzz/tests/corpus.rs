//! Every file of the corpora, through its target: what the fuzzer has found once stays found, on any toolchain.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use redial_fuzz::TARGETS;

#[test]
fn every_corpus_replays() {
    let mut broken = Vec::new();
    for (name, target) in TARGETS {
        let files = files(&corpora().join(name));
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            if std::panic::catch_unwind(|| target(&bytes)).is_err() {
                broken.push(file);
            }
        }
    }
    assert!(broken.is_empty(), "these break a rule, as said above: {broken:#?}");
}

#[test]
fn every_corpus_has_its_target() {
    let corpora: BTreeSet<_> = files(&corpora()).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).into()).collect();
    assert_eq!(corpora, targets);
}

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// A reader that refuses everything would break no rule of its target.
#[test]
fn the_trace_with_every_kind_of_line_is_read() {
    let text = fs::read_to_string(corpora().join("trace/every-line.jsonl")).unwrap();
    let read = redial::trace::Trace::parse(&text).map(|trace| trace.lines.len());
    assert_eq!(read, Ok(text.lines().count() - 1));
}
