//! A running `redial connect`.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

/// A running `redial connect`.
pub(crate) struct Client {
    pub(crate) process: Child,
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: Lines<BufReader<ChildStdout>>,
    pub(crate) stderr: Lines<BufReader<ChildStderr>>,
}

impl Client {
    pub(crate) fn start(urls: &[String], args: &[&str]) -> Self {
        let quick = ["minDelay=1", "baseDelay=20", "maxDelay=100", "dialBudget=none", "stableAfter=20"];
        let mut process = Command::new(env!("CARGO_BIN_EXE_redial"))
            .arg("connect")
            .args(urls)
            .args(quick.iter().flat_map(|setting| ["--set", setting]))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(process.stderr.take().unwrap()).lines();
        Self { process, stdin, stdout, stderr }
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
    }

    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap().success());
    }

    pub(crate) fn message(&mut self) -> String {
        self.stdout.next().expect("a message").unwrap()
    }

    /// The next event that has this in it.
    pub(crate) fn event(&mut self, part: &str) -> String {
        self.stderr
            .by_ref()
            .map(Result::unwrap)
            .find(|line| line.contains(part))
            .unwrap_or_else(|| panic!("no event with {part:?}"))
    }

    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        drop(self.stdin);
        let rest = self.stderr.map(Result::unwrap).collect();
        (self.process.wait().unwrap(), rest)
    }
}
