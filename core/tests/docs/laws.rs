//! The table of laws, with links to whatever proves each.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::read_to_string;
use std::path::Path;

use redial_laws::{Chapter, LAWS};

use super::root;

const HEAD: &str = "# The laws

<!-- Made by core/tests/docs; write it anew with: REDIAL_BLESS=1 cargo test -p redial --test docs -->

Everything that the machine promises, a sentence each. Names in backticks are the policy's keys, inputs and outputs. Each
law is proven in three ways:

- **property**: a [watcher](../laws/src) that knows the sentence and nothing of the machine's inside looks on while random
  policies, inputs and times are tried ([the tests](../core/tests/laws/main.rs), one a law, of the same name);
- **example**: literal timestamps and what must follow, as one would tell it to a colleague;
- **vectors**: traces with their outputs that every build replays, bit for bit.
";

pub(crate) fn page() -> String {
    let mut page = String::from(HEAD);
    let vectors = vectors();
    let mut chapter = None;
    for law in LAWS {
        if chapter != Some(law.chapter) {
            chapter = Some(law.chapter);
            write!(page, "\n## {}\n\n| law | says | proof |\n|---|---|---|\n", title(law.chapter)).unwrap();
        }
        let function = law.name.replace('-', "_");
        let property = only_one("core/tests/laws", &format!("\n    {function}:"));
        let watcher = format!("laws/src/{}.rs", title(law.chapter).to_lowercase());
        assert!(root().join(&watcher).is_file(), "no {watcher}");
        let example = only_one("core/tests/examples", &format!("\nfn {function}()"));
        let mut proof = format!("[property](../{property}), [watcher](../{watcher}), [example](../{example})");
        let vectors = vectors.get(law.name).unwrap_or_else(|| panic!("no vector of {}", law.name));
        for (vector, before) in vectors.iter().zip(std::iter::once("; vectors ").chain(std::iter::repeat(", "))) {
            write!(proof, "{before}[{vector}](../core/vectors/{vector}.jsonl)").unwrap();
        }
        let says = law.sentence.replace('|', "\\|");
        writeln!(page, "| **{}** | {says} | {proof} |", law.name).unwrap();
    }
    page
}

const fn title(chapter: Chapter) -> &'static str {
    match chapter {
        Chapter::Time => "Time",
        Chapter::Dialling => "Dialling",
        Chapter::Delay => "Delay",
        Chapter::Causes => "Causes",
        Chapter::Health => "Health",
        Chapter::Accounts => "Accounts",
    }
}

/// The one source in this folder that has this text.
fn only_one(folder: &str, text: &str) -> String {
    let files = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let has =
        |path: &Path| path.extension().is_some_and(|ext| ext == "rs") && read_to_string(path).unwrap().contains(text);
    let found: Vec<_> = files.filter(|path| has(path)).collect();
    assert!(found.len() == 1, "{} files in {folder} have {:?}", found.len(), text.trim());
    format!("{folder}/{}", found[0].file_name().unwrap().to_str().unwrap())
}

/// By law, the vectors that the tables of their README give it: `| file | situation | law, law |`.
fn vectors() -> BTreeMap<String, Vec<String>> {
    let mut vectors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in read_to_string(root().join("core/vectors/README.md")).unwrap().lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, file, _, laws, _] = cells[..] else { continue };
        let Some(vector) = file.trim_matches('`').strip_suffix(".jsonl") else { continue };
        assert!(root().join(format!("core/vectors/{vector}.jsonl")).is_file(), "no vector {vector}");
        for law in laws.split([',', ';']).map(str::trim).filter(|law| LAWS.iter().any(|one| one.name == *law)) {
            vectors.entry(law.to_owned()).or_default().push(vector.to_owned());
        }
    }
    vectors
}
