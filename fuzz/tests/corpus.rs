//! Every file of the corpora, through its target: what the fuzzer has found once stays found, on any toolchain.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use redial_fuzz::TARGETS;

#[test]
fn every_corpus_replays() {
    for (name, target) in TARGETS {
        let files = files(&corpora().join(name));
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            let replay = std::panic::catch_unwind(|| target(&bytes));
            assert!(replay.is_ok(), "{} breaks a rule", file.display());
        }
    }
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
