//! The server: this very program again, in a process that can be killed. It says everything back.

use futures_util::{SinkExt, StreamExt};
use redial_tokio::{Clock, Message, Timestamp, TokioClock, WebSocketConfig};
use std::error::Error;
use std::io;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Where the server is to listen. Only its process has this set.
const LISTEN: &str = "REDIAL_FLEET_LISTEN";

/// What the clients' process has of it.
pub(crate) struct Server {
    pub(crate) address: String,
    process: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Server {
    pub(crate) async fn start(listen: &str) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .env(LISTEN, listen)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("the server has no pipes".into());
        };
        let mut answers = BufReader::new(answers).lines();
        let address = answers.next_line().await?.ok_or("the server does not listen")?;
        Ok(Self { address, process, questions, answers })
    }

    /// When it accepted connections, on its own clock.
    pub(crate) async fn accepts(&mut self) -> Result<Vec<Timestamp>, Box<dyn Error>> {
        self.questions.write_all(b"accepts?\n").await?;
        let line = self.answers.next_line().await?.ok_or("the server is gone")?;
        let times = line.split_whitespace().map(|micros| micros.parse().map(Timestamp::from_micros));
        Ok(times.collect::<Result<_, _>>()?)
    }

    /// SIGKILL. Tells where it listened.
    pub(crate) async fn kill(mut self) -> io::Result<String> {
        self.process.kill().await?;
        Ok(self.address)
    }
}

/// Where to listen, if this process is to be the server.
pub(crate) fn is_this_process() -> Option<String> {
    std::env::var(LISTEN).ok()
}

pub(crate) async fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await?;
    println!("{}", listener.local_addr()?);
    let clock = TokioClock::new();
    let mut accepts = Vec::new();
    let mut questions = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                accepts.push(clock.now().as_micros().to_string());
                tokio::spawn(echo(accepted?.0));
            }
            // Nobody who could ask is left: this is the end.
            question = questions.next_line() => match question? {
                Some(_) => println!("{}", accepts.join(" ")),
                None => return Ok(()),
            }
        }
    }
}

async fn echo(stream: TcpStream) -> Option<()> {
    // Thousands of idle connections need no large buffers.
    let config = WebSocketConfig::default().read_buffer_size(1024);
    let mut client = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await.ok()?;
    while let Some(Ok(message)) = client.next().await {
        if let Message::Text(_) = message {
            client.send(message).await.ok()?;
        }
    }
    None
}
