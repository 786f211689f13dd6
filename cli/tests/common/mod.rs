//! A running `redial serve`, and the simplest of clients.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)] // each test takes what it needs

pub(crate) mod client;

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// Longer than anything takes here: a test that would wait for ever fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A `redial serve`, killed at the end.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    pub(crate) store: String,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Server {
    /// On a free port, with a certificate to trust.
    pub(crate) fn start_trusting(certificate: &Path, args: &[&str]) -> Self {
        Self::run("127.0.0.1:0", args, Path::new("."), &[("SSL_CERT_FILE", certificate)])
    }

    /// On a free port.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", args)
    }

    pub(crate) fn start_at(listen: &str, args: &[&str]) -> Self {
        Self::run(listen, args, Path::new("."), &[])
    }

    /// In this folder.
    pub(crate) fn start_in(folder: &Path, args: &[&str]) -> Self {
        Self::run("127.0.0.1:0", args, folder, &[])
    }

    fn run(listen: &str, args: &[&str], folder: &Path, variables: &[(&str, &Path)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_redial"))
            .current_dir(folder)
            .args(["serve", "--json", "--listen", listen])
            .args(args)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        let address = line["listening"].as_str().unwrap().parse().unwrap();
        Self { process, address, store: line["store"].as_str().unwrap().to_owned(), stderr }
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) -> SocketAddr {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.address
    }

    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap().success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// The next line for people; it has this in it.
    pub(crate) fn event(&mut self, part: &str) -> String {
        let line = self.stderr.next().expect("a line").unwrap();
        assert!(line.contains(part), "{line}");
        line
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// What it answers over HTTP: the status, and the body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    pub(crate) fn health(&self) -> Value {
        serde_json::from_str(&self.get("/health").1).unwrap()
    }

    /// A client that knows no subprotocol.
    pub(crate) fn plain(&self, path: &str) -> Plain {
        Plain::connect(self.address, path, &[]).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A WebSocket without anything else.
pub(crate) struct Plain(WebSocket<TcpStream>);

impl Plain {
    /// The status, where the server refuses.
    pub(crate) fn connect(address: SocketAddr, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        use tungstenite::client::IntoClientRequest;
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn ask(&mut self, text: &str) -> String {
        self.0.send(Message::text(text)).unwrap();
        self.0.read().unwrap().into_text().unwrap().to_string()
    }

    /// The answer to a JSON message.
    pub(crate) fn count(&mut self, message: &Value) -> Value {
        serde_json::from_str(&self.ask(&serde_json::json!({ "message": message }).to_string())).unwrap()
    }

    /// The close code with which the server ends it.
    pub(crate) fn closed(&mut self) -> u16 {
        let mut code = None;
        // Reading on is what answers the close frame.
        while let Ok(message) = self.0.read() {
            if let Message::Close(Some(frame)) = message {
                code = Some(frame.code.into());
            }
        }
        code.expect("a close frame")
    }
}

pub(crate) fn redial(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_redial")).args(args).stdin(Stdio::null()).output().unwrap()
}

/// The command ends with this status and one line on stderr that names all these.
pub(crate) fn refused(args: &[&str], status: i32, named: &[&str]) {
    let output = redial(args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(status), 1), "{args:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{args:?}");
    for name in named {
        assert!(stderr.contains(name), "{args:?}: {stderr:?} does not name {name:?}");
    }
}
