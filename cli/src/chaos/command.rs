//! What a proxy can be told, as a type and as one line of text.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::str::{FromStr, SplitWhitespace};

use super::board::Conditions;

/// One thing to tell a [`Proxy`](super::Proxy); as text, one line such as `delay 100 20`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Delay the bytes of each direction; both 0: no delay.
    Delay {
        /// What every byte waits at least, in milliseconds, at most [`Command::MAX_DELAY_MS`].
        delay_ms: u32,
        /// What comes on top, evenly spread from 0 to this, in milliseconds, at most [`Command::MAX_DELAY_MS`].
        jitter_ms: u32,
    },
    /// Let so many bytes a second pass in each direction of each connection; `None`: as many as come.
    Rate(Option<NonZeroU32>),
    /// Close all present connections cleanly.
    Drop,
    /// Reset all present connections.
    Reset,
    /// Refuse new dials, or don't.
    Refuse(bool),
    /// Accept new connections and close them at once, or don't.
    AcceptThenDrop(bool),
    /// Hold all bytes in one or both directions, or let them go.
    Blackhole {
        /// Whether to hold them.
        on: bool,
        /// Which bytes; the other direction stays as it is.
        direction: Direction,
    },
    /// Dial this address for new connections.
    Upstream(SocketAddr),
    /// Back to a clean link.
    Heal,
    /// Say what the faults and the counters are.
    Status,
}

/// A direction of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the upstream.
    Up,
    /// From the upstream to the client.
    Down,
    /// Up and down.
    Both,
}

/// Why a line is not a [`Command`]. As text it is one line that names the word and what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// This word can't stand where it stands.
    Unexpected {
        /// The word, cut at 40 characters.
        word: String,
        /// What could stand there.
        allowed: &'static str,
    },
    /// The line ends too early.
    Missing {
        /// The command's first word, or nothing for an empty line.
        command: &'static str,
        /// What could follow.
        allowed: &'static str,
    },
}

impl Command {
    /// The longest delay and the longest jitter: an hour, in milliseconds.
    pub const MAX_DELAY_MS: u32 = 3_600_000;

    /// The first words of all commands, for people.
    pub const NAMES: &'static str =
        "delay, rate, drop, reset, refuse, accept-then-drop, blackhole, upstream, heal or status";

    /// What this makes of the conditions; the commands that act on connections or only ask leave them as they are.
    pub(super) fn changed(self, mut now: Conditions) -> Conditions {
        match self {
            Self::Delay { delay_ms, jitter_ms } => {
                // The parser names the range; a caller in the same process is held to it here.
                now.delay_ms = delay_ms.min(Self::MAX_DELAY_MS);
                now.jitter_ms = jitter_ms.min(Self::MAX_DELAY_MS);
            }
            Self::Rate(bytes_per_second) => now.bytes_per_second = bytes_per_second,
            Self::Refuse(on) => now.refuse = on,
            Self::AcceptThenDrop(on) => now.accept_then_drop = on,
            Self::Blackhole { on, direction: Direction::Up } => now.blackhole_up = on,
            Self::Blackhole { on, direction: Direction::Down } => now.blackhole_down = on,
            Self::Blackhole { on, direction: Direction::Both } => {
                now.blackhole_up = on;
                now.blackhole_down = on;
            }
            Self::Upstream(address) => now.upstream = address,
            Self::Heal => now = Conditions::clean(now.upstream),
            Self::Drop | Self::Reset | Self::Status => {}
        }
        now
    }
}

const DELAY: &str = "MS [JITTER_MS], whole numbers from 0 to 3600000, or off";
const RATE: &str = "BYTES_PER_SEC, a whole number from 1 to 4294967295, or off";
const SWITCH: &str = "on or off";
const DIRECTION: &str = "up, down or both";
const ADDRESS: &str = "IP:PORT, such as 127.0.0.1:8080 or [::1]:8080";
const NOTHING: &str = "nothing more";

impl FromStr for Command {
    type Err = CommandError;

    fn from_str(line: &str) -> Result<Self, CommandError> {
        let mut words = line.split_whitespace();
        let first = words.next().ok_or(CommandError::Missing { command: "", allowed: Self::NAMES })?;
        let command = match first {
            "delay" => delay(&mut words)?,
            "rate" => rate(&mut words)?,
            "drop" => Self::Drop,
            "reset" => Self::Reset,
            "refuse" => Self::Refuse(switch("refuse", &mut words)?),
            "accept-then-drop" => Self::AcceptThenDrop(switch("accept-then-drop", &mut words)?),
            "blackhole" => Self::Blackhole { on: switch("blackhole", &mut words)?, direction: direction(&mut words)? },
            "upstream" => Self::Upstream(upstream(&mut words)?),
            "heal" => Self::Heal,
            "status" => Self::Status,
            other => return Err(unexpected(other, Self::NAMES)),
        };
        match words.next() {
            None => Ok(command),
            Some(word) => Err(unexpected(word, NOTHING)),
        }
    }
}

fn delay(words: &mut SplitWhitespace<'_>) -> Result<Command, CommandError> {
    let delay_ms = match needed("delay", words, DELAY)? {
        "off" => return Ok(Command::Delay { delay_ms: 0, jitter_ms: 0 }),
        word => milliseconds(word)?,
    };
    let jitter_ms = words.next().map_or(Ok(0), milliseconds)?;
    Ok(Command::Delay { delay_ms, jitter_ms })
}

fn milliseconds(word: &str) -> Result<u32, CommandError> {
    let number = word.parse().map_err(|_| unexpected(word, DELAY))?;
    if number > Command::MAX_DELAY_MS { Err(unexpected(word, DELAY)) } else { Ok(number) }
}

fn rate(words: &mut SplitWhitespace<'_>) -> Result<Command, CommandError> {
    match needed("rate", words, RATE)? {
        "off" => Ok(Command::Rate(None)),
        word => word.parse().map(|rate| Command::Rate(Some(rate))).map_err(|_| unexpected(word, RATE)),
    }
}

fn switch(command: &'static str, words: &mut SplitWhitespace<'_>) -> Result<bool, CommandError> {
    match needed(command, words, SWITCH)? {
        "on" => Ok(true),
        "off" => Ok(false),
        word => Err(unexpected(word, SWITCH)),
    }
}

fn direction(words: &mut SplitWhitespace<'_>) -> Result<Direction, CommandError> {
    match words.next() {
        Some("up") => Ok(Direction::Up),
        Some("down") => Ok(Direction::Down),
        None | Some("both") => Ok(Direction::Both),
        Some(word) => Err(unexpected(word, DIRECTION)),
    }
}

fn upstream(words: &mut SplitWhitespace<'_>) -> Result<SocketAddr, CommandError> {
    let word = needed("upstream", words, ADDRESS)?;
    word.parse().map_err(|_| unexpected(word, ADDRESS))
}

fn needed<'a>(
    command: &'static str,
    words: &mut SplitWhitespace<'a>,
    allowed: &'static str,
) -> Result<&'a str, CommandError> {
    words.next().ok_or(CommandError::Missing { command, allowed })
}

fn unexpected(word: &str, allowed: &'static str) -> CommandError {
    CommandError::Unexpected { word: word.chars().take(40).collect(), allowed }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Debug escapes what would otherwise move the reader's terminal about.
            Self::Unexpected { word, allowed } => write!(f, "unexpected {word:?}: allowed is {allowed}"),
            Self::Missing { command: "", allowed } => write!(f, "no command: allowed is {allowed}"),
            Self::Missing { command, allowed } => write!(f, "\"{command}\" needs more: allowed is {allowed}"),
        }
    }
}

impl std::error::Error for CommandError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Command {
        line.parse().unwrap()
    }

    fn refused(line: &str) -> String {
        line.parse::<Command>().unwrap_err().to_string()
    }

    #[test]
    fn every_command_has_its_text() {
        assert_eq!(parsed("delay 100"), Command::Delay { delay_ms: 100, jitter_ms: 0 });
        assert_eq!(parsed("  delay\t100 20 "), Command::Delay { delay_ms: 100, jitter_ms: 20 });
        assert_eq!(parsed("delay off"), Command::Delay { delay_ms: 0, jitter_ms: 0 });
        assert_eq!(parsed("delay 3600000 3600000"), Command::Delay { delay_ms: 3_600_000, jitter_ms: 3_600_000 });
        assert_eq!(parsed("rate 1000"), Command::Rate(NonZeroU32::new(1000)));
        assert_eq!(parsed("rate off"), Command::Rate(None));
        assert_eq!(parsed("drop"), Command::Drop);
        assert_eq!(parsed("reset"), Command::Reset);
        assert_eq!(parsed("refuse on"), Command::Refuse(true));
        assert_eq!(parsed("accept-then-drop off"), Command::AcceptThenDrop(false));
        assert_eq!(parsed("blackhole on"), Command::Blackhole { on: true, direction: Direction::Both });
        assert_eq!(parsed("blackhole on both"), Command::Blackhole { on: true, direction: Direction::Both });
        assert_eq!(parsed("blackhole off up"), Command::Blackhole { on: false, direction: Direction::Up });
        assert_eq!(parsed("blackhole on down"), Command::Blackhole { on: true, direction: Direction::Down });
        assert_eq!(parsed("upstream [::1]:80"), Command::Upstream("[::1]:80".parse().unwrap()));
        assert_eq!(parsed("heal"), Command::Heal);
        assert_eq!(parsed("status"), Command::Status);
    }

    #[test]
    fn an_error_names_the_word_and_what_is_allowed() {
        assert_eq!(refused("explode"), format!("unexpected \"explode\": allowed is {}", Command::NAMES));
        assert_eq!(refused(""), format!("no command: allowed is {}", Command::NAMES));
        assert_eq!(refused("refuse"), "\"refuse\" needs more: allowed is on or off");
        assert_eq!(refused("refuse maybe"), "unexpected \"maybe\": allowed is on or off");
        assert_eq!(refused("drop now"), "unexpected \"now\": allowed is nothing more");
        assert_eq!(refused("delay off 3"), "unexpected \"3\": allowed is nothing more");
        assert_eq!(refused("rate 0"), format!("unexpected \"0\": allowed is {RATE}"));
        assert_eq!(refused("rate -1"), format!("unexpected \"-1\": allowed is {RATE}"));
        assert_eq!(refused("delay 3600001"), format!("unexpected \"3600001\": allowed is {DELAY}"));
        assert_eq!(refused("delay 1 99999999999"), format!("unexpected \"99999999999\": allowed is {DELAY}"));
        assert_eq!(refused("blackhole on sideways"), format!("unexpected \"sideways\": allowed is {DIRECTION}"));
        assert_eq!(refused("upstream localhost:80"), format!("unexpected \"localhost:80\": allowed is {ADDRESS}"));
    }

    #[test]
    fn an_error_stays_one_short_line_whatever_it_quotes() {
        let text = refused(&format!("\u{1b}[2J\u{7}{}", "x".repeat(10_000)));
        assert!(text.len() < 300 && !text.chars().any(char::is_control), "{text:?}");
    }

    #[test]
    fn heal_turns_everything_off_but_keeps_the_upstream() {
        let upstream = "127.0.0.1:9".parse().unwrap();
        let mut now = Conditions::clean("127.0.0.1:8".parse().unwrap());
        let bad = ["upstream 127.0.0.1:9", "delay 1 2", "rate 3", "refuse on", "accept-then-drop on", "blackhole on"];
        for line in bad {
            let before = now;
            now = parsed(line).changed(now);
            assert_ne!(now, before, "{line}");
        }
        assert_eq!(parsed("heal").changed(now), Conditions::clean(upstream));
    }

    #[test]
    fn a_delay_from_within_the_process_is_held_to_the_range() {
        let now = Conditions::clean("127.0.0.1:8".parse().unwrap());
        let now = Command::Delay { delay_ms: u32::MAX, jitter_ms: u32::MAX }.changed(now);
        assert_eq!((now.delay_ms, now.jitter_ms), (Command::MAX_DELAY_MS, Command::MAX_DELAY_MS));
    }
}
