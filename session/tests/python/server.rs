//! Starts the server in Python, for the tests of this crate and of the adapters.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub(crate) struct PythonServer {
    pub(crate) process: Child,
    pub(crate) port: u16,
}

impl PythonServer {
    pub(crate) fn start() -> Self {
        let mut process = python("server.py").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(' ').next().and_then(|port| port.parse().ok());
        Self { process, port: port.unwrap_or_else(|| panic!("the server said {line:?}")) }
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

pub(crate) fn python(script: &str) -> Command {
    // Of whichever crate this is a part of.
    let crate_path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let setup = Command::new(crate_path.join("../scripts/python-env")).stderr(Stdio::inherit()).output().unwrap();
    assert!(setup.status.success(), "scripts/python-env has no Python for this test");
    let interpreter = PathBuf::from(String::from_utf8(setup.stdout).unwrap().trim());
    let mut command = Command::new(interpreter);
    command.arg("-B").arg(crate_path.join("../session/tests/python").join(script));
    command
}
