//! Where lines go: messages to stdout, events to stderr, and one live line at the foot of a terminal.

use std::io::{self, IsTerminal, Write};

use crossterm::{cursor, execute, queue, style, terminal};

use super::status_line::View;
use crate::text::one_line;

/// Messages to stdout, events to stderr; on a terminal, one live line below them.
#[derive(Debug)]
pub(crate) struct Screen {
    live: bool,
    raw: bool,
    drawn: bool,
    /// Stderr is one.
    terminal: bool,
    /// The terminal was there and is gone.
    hung_up: bool,
}

impl Screen {
    /// A screen on this process's stdout and stderr. `live`: with a live line, where stderr is a terminal; keys are
    /// read one by one then, if stdin is a terminal too.
    pub(crate) fn new(live: bool) -> io::Result<Self> {
        let terminal = io::stderr().is_terminal();
        let live = live && terminal;
        let raw = live && io::stdin().is_terminal();
        if raw {
            terminal::enable_raw_mode()?;
            execute!(io::stderr(), crossterm::event::EnableBracketedPaste)?;
        }
        Ok(Self { live, raw, drawn: false, terminal, hung_up: false })
    }

    /// Whether there is a live line.
    pub(crate) const fn is_live(&self) -> bool {
        self.live
    }

    /// Whether keys come one by one.
    pub(crate) const fn reads_keys(&self) -> bool {
        self.raw
    }

    /// A line for people.
    pub(crate) fn event(&mut self, text: &str) -> io::Result<()> {
        let text = one_line(text, self.terminal);
        let erased = self.erase();
        let written = erased.and_then(|()| write_line(&mut io::stderr().lock(), text.as_bytes(), self.raw));
        self.unless_hung_up(written)
    }

    /// A line for whoever looks at stdout, which is a terminal.
    pub(crate) fn message(&mut self, text: &[u8]) -> io::Result<()> {
        let erased = self.erase();
        let written = erased.and_then(|()| write_line(&mut io::stdout().lock(), text, self.raw));
        self.unless_hung_up(written)
    }

    /// Draws the live line, with what is being typed.
    pub(crate) fn draw(&mut self, view: &View<'_>, typed: &str) -> io::Result<()> {
        if !self.live {
            return Ok(());
        }
        let drawn = self.draw_live(view, typed);
        self.unless_hung_up(drawn)
    }

    fn draw_live(&mut self, view: &View<'_>, typed: &str) -> io::Result<()> {
        let width = columns(terminal::size().ok()).saturating_sub(1);
        let status = cut(&view.text(), width);
        let mut out = io::stderr().lock();
        queue!(out, cursor::MoveToColumn(0), terminal::Clear(terminal::ClearType::CurrentLine))?;
        write!(out, "\x1b[{}m{status}\x1b[0m", view.colour())?;
        if self.raw {
            let room = width.saturating_sub(status.chars().count()).saturating_sub(3);
            queue!(out, style::Print(format_args!(" > {}", tail(&one_line(typed, true), room))))?;
        }
        self.drawn = true;
        out.flush()
    }

    /// A terminal that is gone is no reason to drop the connection: the signal that tells of it closes it properly.
    fn unless_hung_up(&mut self, written: io::Result<()>) -> io::Result<()> {
        self.hung_up |= self.live && written.is_err();
        if self.hung_up {
            (self.live, self.drawn) = (false, false);
            return Ok(());
        }
        written
    }

    fn erase(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.drawn) {
            execute!(io::stderr(), cursor::MoveToColumn(0), terminal::Clear(terminal::ClearType::CurrentLine))?;
        }
        Ok(())
    }
}

/// The terminal is left as it was found, whatever happens.
impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.erase();
        if self.raw {
            let _ = execute!(io::stderr(), crossterm::event::DisableBracketedPaste);
            let _ = terminal::disable_raw_mode();
        }
    }
}

/// One write for one line, so that two processes on one terminal don't mix theirs.
fn write_line(out: &mut impl Write, text: &[u8], raw: bool) -> io::Result<()> {
    // In raw mode a line feed is only that.
    let end: &[u8] = if raw { b"\r\n" } else { b"\n" };
    out.write_all(&[text, end].concat())?;
    out.flush()
}

/// How wide a terminal is; some tell 0 for "unknown".
fn columns(size: Option<(u16, u16)>) -> usize {
    size.map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0).unwrap_or(80)
}

/// The first `width` characters.
fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

/// The last `width` characters.
fn tail(text: &str, width: usize) -> String {
    let skipped = text.chars().count().saturating_sub(width);
    text.chars().skip(skipped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_without_a_width_is_80_wide() {
        assert_eq!([columns(None), columns(Some((0, 0))), columns(Some((3, 1)))], [80, 80, 3]);
    }

    #[test]
    fn a_long_line_is_cut_at_the_right_end() {
        assert_eq!(cut("● open", 3), "● o");
        assert_eq!(tail("typed text", 4), "text");
        assert_eq!(tail("a", 4), "a");
    }
}
