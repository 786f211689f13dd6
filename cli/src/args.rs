//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{Args as Group, CommandFactory, Parser, Subcommand};
use redial::Preset;

use crate::failure::Failure;
use crate::serve::StoreKind;

/// The reconnection engine on the command line.
#[derive(Debug, Parser)]
#[command(name = "redial", version, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the delays of failures in a row.
    Schedule(ScheduleArgs),
    /// Run the machine over a trace on a virtual clock and print its outputs.
    Replay(ReplayArgs),
    /// Stay connected: lines of stdin are messages, messages are lines of stdout.
    ///
    /// In a message's line, a line feed is printed as `\n` and a carriage return as `\r`; on a terminal other control
    /// characters are escaped too. With --json every message is exact. While nobody reads stdout the connection is not
    /// served, and its pings wait.
    ///
    /// Where the server speaks redial.v1, nothing that was typed is lost: it is sent again until the server has it. Where it
    /// does not, messages are sent as they are.
    Connect(ConnectArgs),
    /// See it work: a server, a faulty network and a client in one process, and an account at the end.
    Demo(DemoArgs),
    /// Proxy TCP and make faults on command: one a line on stdin.
    Chaos(ChaosArgs),
    /// Serve the chat: resumable sessions over redial.v1 at /ws/chat/, and the plain protocol; /health and /metrics.
    ///
    /// An interrupt lets it go away gracefully: clients are told, what they have sent is acknowledged, and their
    /// connections are closed with 1012. A second one ends it at once.
    Serve(ServeArgs),
    /// One look at a server: its health, a connection with its latency, and whether sessions can be resumed.
    ///
    /// Exit status 0 only if all of it is well.
    Status(StatusArgs),
}

/// Where the policy comes from; a flag comes before the environment, that before a file, that before a preset.
#[derive(Debug, Group)]
pub(crate) struct PolicyArgs {
    /// Start from this preset.
    #[arg(long, value_parser = preset, conflicts_with = "policy")]
    pub(crate) preset: Option<Preset>,
    /// Read the policy from this file, JSON or (NAME.toml) TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Set one key of the policy, such as `maxDelay=8000` or `quality.good=120`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Group)]
pub(crate) struct ScheduleArgs {
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// The seed of the jitter; drawn by default.
    #[arg(long, value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// How many delays; by default `maxAttempts`, or 10.
    #[arg(long, value_parser = whole::<u32>, allow_negative_numbers = true)]
    pub(crate) retries: Option<u32>,
    /// Print JSON Lines on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Group)]
pub(crate) struct ReplayArgs {
    /// The trace's file, or `-` for stdin.
    #[arg(value_name = "TRACE")]
    pub(crate) trace: PathBuf,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Another seed than the header's.
    #[arg(long, value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// After the last line let deadlines fire up to this time, in milliseconds.
    #[arg(long, value_name = "MS", value_parser = millis, allow_negative_numbers = true)]
    pub(crate) until: Option<redial::Timestamp>,
    /// Compare the outputs with those in the trace; exit 1 at the first difference.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Group)]
pub(crate) struct ConnectArgs {
    /// The server's URL, `ws://` or `wss://`; further ones are endpoints to fail over to.
    #[arg(value_name = "URL", required = true)]
    pub(crate) urls: Vec<String>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// The seed of the jitter; drawn by default.
    #[arg(long, value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Send this header with every dial; may be repeated.
    #[arg(long, value_name = "NAME:VALUE")]
    pub(crate) header: Vec<String>,
    /// Go on with this session of a server's plain protocol: `session=ID` takes its place in the URL's query. Offers no
    /// redial.v1.
    #[arg(long, value_name = "ID", value_parser = session_name)]
    pub(crate) session: Option<String>,
    /// Offer no redial.v1: messages are sent as they are, once.
    #[arg(long)]
    pub(crate) plain: bool,
    /// Record everything that happens as a trace, for `redial replay`.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Print messages and events as JSON Lines on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Group)]
pub(crate) struct DemoArgs {
    /// How many outages to go through, from 0 to 1000; there are six kinds.
    #[arg(long, default_value = "6", value_parser = within::<0, 1_000>)]
    pub(crate) outages: u32,
    /// How many messages to send, from 1 to 1000000.
    #[arg(long, default_value = "500", value_parser = within::<1, 1_000_000>)]
    pub(crate) messages: u32,
    /// The seed of the jitter; drawn by default.
    #[arg(long, value_parser = whole::<u64>)]
    pub(crate) seed: Option<u64>,
    /// Print JSON Lines on stdout; the last one is the account.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Group)]
pub(crate) struct ChaosArgs {
    /// Where to listen, as IP:PORT.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// Where to connect to, as IP:PORT.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) upstream: SocketAddr,
}

#[derive(Debug, Group)]
pub(crate) struct ServeArgs {
    /// Where to listen, as IP:PORT; with port 0 a free one is taken.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// Where sessions live: `memory`, `sqlite:PATH` or `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]` (`rediss://` for TLS).
    #[arg(long, value_name = "STORE", default_value = "memory", value_parser = StoreKind::parse)]
    pub(crate) store: StoreKind,
    /// For how many seconds a session waits for its client to come back, from 1 to 31536000.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = within::<1, 31_536_000>)]
    pub(crate) ttl: u32,
    /// When it goes away, its clients come back at random times within this many seconds, from 0 to 300.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = within::<0, 300>)]
    pub(crate) spread: u32,
    /// A page that may connect, such as `https://chat.example`, or `any`; may be repeated. By default those of the server
    /// itself.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(crate) origin: Vec<String>,
    /// Believe the X-Forwarded-For and X-Forwarded-Host of the proxy that all clients come through.
    #[arg(long)]
    pub(crate) trust_proxy: bool,
    /// Let in who brings one of the tokens in this file only: a line is TOKEN, or TOKEN and its user.
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,
    /// The most connections at a time, or `none`.
    #[arg(long, value_name = "N", default_value = "20000", value_parser = limit)]
    pub(crate) connections: Limit,
    /// The most connections at a time from one address, or `none`.
    #[arg(long, value_name = "N", default_value = "200", value_parser = limit)]
    pub(crate) connections_per_address: Limit,
    /// The most new connections a minute from one address, or `none`.
    #[arg(long, value_name = "N", default_value = "300", value_parser = limit)]
    pub(crate) connects_per_minute: Limit,
    /// The most messages a second from one connection, on average, or `none`.
    #[arg(long, value_name = "N", default_value = "100", value_parser = limit)]
    pub(crate) messages_per_second: Limit,
    /// Print on stdout, as JSON, where it listens.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Group)]
pub(crate) struct StatusArgs {
    /// The WebSocket's URL, `ws://` or `wss://`; with `http://` or `https://` and no path, the chat of that server.
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Send this header; may be repeated.
    #[arg(long, value_name = "NAME:VALUE")]
    pub(crate) header: Vec<String>,
    /// Everything is over within this many seconds, from 1 to 300.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = within::<1, 300>)]
    pub(crate) timeout: u32,
    /// Print the report as JSON on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of this process.
pub(crate) fn parse() -> Result<Args, Failure> {
    Args::try_parse().map_err(|error| {
        let kind = error.kind();
        if matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            Failure::Help(error.to_string())
        } else if matches!(kind, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand) {
            Failure::usage(format_args!("a command is missing; allowed: {}", allowed("").join(", ")))
        } else if matches!(kind, ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand) {
            let text = error.to_string();
            // Only what is wrong: the list says more than clap's guess.
            let problem = one_line(text.lines().next().unwrap_or_default());
            let said = std::env::args_os().skip(1).find_map(|word| word.into_string().ok());
            Failure::usage(format_args!("{problem}; allowed: {}", allowed(&said.unwrap_or_default()).join(", ")))
        } else {
            Failure::Usage(one_line(&error.to_string()))
        }
    })
}

/// The flags of the command `name`; the commands, if there is none of this name.
fn allowed(name: &str) -> Vec<String> {
    let mut args = Args::command();
    args.build(); // adds --help
    match args.find_subcommand(name) {
        Some(command) => command.get_arguments().filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect(),
        None => args.get_subcommands().map(|command| command.get_name().to_owned()).collect(),
    }
}

/// clap's error without its frame: one line that names the place and what is allowed.
fn one_line(text: &str) -> String {
    let told = text.lines().take_while(|line| !line.starts_with("For more information"));
    let line = told.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

fn preset(name: &str) -> Result<Preset, String> {
    Preset::parse(name).ok_or_else(|| {
        let names: Vec<_> = Preset::ALL.iter().map(|preset| preset.as_str()).collect();
        format!("allowed: {}", names.join(", "))
    })
}

fn whole<N: FromStr + Bounded>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("allowed: a whole number from 0 to {}", N::MOST))
}

fn within<const LEAST: u32, const MOST: u32>(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
    number.ok_or_else(|| format!("allowed: a whole number from {LEAST} to {MOST}"))
}

/// The largest number of a type, for an error's text.
trait Bounded {
    const MOST: u64;
}

impl Bounded for u32 {
    const MOST: u64 = Self::MAX as u64;
}

impl Bounded for u64 {
    const MOST: Self = Self::MAX;
}

/// A limit, or none. Not an `Option`: that would make the flag one that need not be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(crate) Option<u32>);

fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "none" => Ok(Limit(None)),
        _ => match text.parse() {
            Ok(number @ 1..) => Ok(Limit(Some(number))),
            Ok(0) | Err(_) => Err(format!("allowed: none, or a whole number from 1 to {}", u32::MAX)),
        },
    }
}

fn session_name(text: &str) -> Result<String, String> {
    let allowed = (1..=128).contains(&text.chars().count());
    if allowed { Ok(text.to_owned()) } else { Err("allowed: 1 to 128 characters".to_owned()) }
}

fn origin(text: &str) -> Result<String, String> {
    let is_origin = || {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        host.is_some_and(|host| !host.trim_end_matches('/').is_empty() && !host.trim_end_matches('/').contains('/'))
    };
    if text == "any" || is_origin() {
        return Ok(text.to_owned());
    }
    Err("allowed: any, or SCHEME://HOST[:PORT], such as https://chat.example".to_owned())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "allowed: IP:PORT, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

fn millis(text: &str) -> Result<redial::Timestamp, String> {
    let millis = text.parse().ok().and_then(redial::Micros::from_millis_f64);
    let micros = millis.ok_or("allowed: milliseconds from 0 to 9007199254740.992, at most three decimals")?;
    Ok(redial::Timestamp::from_micros(micros.as_micros()))
}
