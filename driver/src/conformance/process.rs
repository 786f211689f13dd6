//! A server in a process of its own, so that killing, stopping and restarting it are real.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;
use super::server::Server;

/// Where the server is to listen; only its process has it set.
const LISTEN: &str = "REDIAL_CONFORMANCE_LISTEN";

/// In the server's process: an echo server, as long as the suite's process lives. Elsewhere it does nothing.
pub(super) fn serve_if_asked() {
    let Some(addr) = std::env::var(LISTEN).ok().and_then(|addr| addr.parse().ok()) else {
        return;
    };
    let server = Server::start_at(addr);
    println!("listening");
    thread::spawn(move || {
        for peer in server.peers() {
            let number = peer.number;
            let echo = peer.echo();
            thread::spawn(move || match echo.done() {
                Some(code) => println!("{number}: close {code}"),
                None => println!("{number}: no close frame"),
            });
        }
    });
    // The suite never writes: this ends when the suite does.
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
    std::process::exit(0);
}

/// A server's process. It is killed when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// What it says, line by line.
    says: Receiver<String>,
}

impl Process {
    /// Runs this very program again, with its arguments, and waits until it listens.
    pub(super) fn start(addr: SocketAddr) -> Self {
        let program = std::env::current_exe().expect("a program knows where it is");
        let mut command = Command::new(program);
        command
            .args(std::env::args_os().skip(1))
            .env(LISTEN, addr.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program runs again");
        let lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let (say, says) = mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| say.send(line)));
        let process = Self { child, says };
        assert_eq!(process.line(), "listening", "main did not call `run` before anything else");
        process
    }

    /// How its connections ended, until the one of this number has.
    pub(super) fn ending(&self, number: usize) -> String {
        let prefix = format!("{number}: ");
        loop {
            if let Some(how) = self.line().strip_prefix(&prefix) {
                return how.to_owned();
            }
        }
    }

    fn line(&self) -> String {
        self.says.recv_timeout(PATIENCE).expect("the process lives, and says so")
    }

    /// SIGKILL, and waits for its end.
    pub(super) fn kill(self) {
        drop(self);
    }

    /// SIGSTOP: its sockets stay open, and nobody answers.
    pub(super) fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub(super) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is ours");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended needs none of it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
