//! A TCP proxy that delays, slows, drops, resets, refuses and black-holes on command.
//!
//! [`Proxy`] carries the connections, [`Control`] changes what happens to them, one [`Command`] at a time;
//! [`console()`] reads such commands as text. When [`Control::apply`] answers, the command is in force: not a byte more
//! passes a black hole, every connection that `drop` or `reset` meant has ended, and a dial is refused. Connections
//! that a client had established before a command, even if the proxy had not come round to them, count as present.
//!
//! | command | what it does |
//! |---|---|
//! | `delay MS [JITTER_MS]`, `delay off` | each direction's bytes, and its end, come MS plus 0 to JITTER_MS later; order is kept |
//! | `rate BYTES_PER_SEC`, `rate off` | a slow link: so many bytes a second, in each direction of each connection |
//! | `drop` | closes all present connections cleanly (FIN, to both sides) |
//! | `reset` | resets all present connections (RST, to both sides) |
//! | `refuse on`, `refuse off` | new dials are refused; present connections stay |
//! | `accept-then-drop on`, `accept-then-drop off` | new connections are accepted and closed at once, cleanly |
//! | `blackhole on`, `blackhole off`, each with `up`, `down` or `both` (default) | nothing passes that way any more |
//! | `upstream ADDR` | new connections go there; present ones stay where they are |
//! | `heal` | all of delay, rate, refuse, accept-then-drop and blackhole off |
//! | `status` | one line: the present faults and the counters |
//!
//! *Up* is from the client to the upstream. What the faults do not do:
//! - A **black hole** loses nothing. The proxy stops reading and writing in that direction, so the end of a connection
//!   is not seen either and the peers are half-open, as behind a silent firewall; when it ends, what was held arrives.
//!   Meanwhile new connections are accepted; they are dialled on to the upstream when `up` is open again.
//! - **drop** and **reset** lose what a delay, a rate or a black hole holds at that moment, as a broken link does.
//!   Where several faults meet a new connection, refuse comes before accept-then-drop, and that before a black hole.
//! - A **delay** does not hold up the dial: it is the kernel that answers it. What is under way when a delay changes
//!   goes by the new one.
//! - Each direction of a connection holds at most 64 KiB, so a delay also limits the throughput to 64 KiB a delay, as
//!   a window of that size would. The kernel's socket buffers come on top.

mod board;
mod command;
mod console;
mod control;
mod door;
mod link;
mod pipe;
mod proxy;
mod queue;

#[cfg(test)]
mod tests;

pub use board::{Conditions, Counters};
pub use command::{Command, CommandError, Direction};
pub use console::console;
pub use control::{Control, ControlError, Reply, Status};
pub use proxy::Proxy;
