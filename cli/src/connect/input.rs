//! What the user says: lines of stdin, or keys of a terminal.

use std::io::{self, BufRead};

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::editor::{Editor, Typed};

/// Lines from stdin, or from the keys of a terminal in raw mode.
#[derive(Debug)]
pub(crate) enum UserInput {
    Lines(mpsc::Receiver<Vec<u8>>),
    Keys {
        events: EventStream,
        editor: Editor,
        entered: std::collections::VecDeque<String>,
    },
    /// There will be no more.
    Ended,
}

/// What the user did.
#[derive(Debug)]
pub(crate) enum Act {
    /// Entered a line.
    Line(String),
    /// Entered a line that is no text.
    NotText,
    /// Typed something.
    Typed,
    /// Wants to end.
    Interrupt,
}

impl Act {
    fn from_bytes(line: Vec<u8>) -> Self {
        String::from_utf8(line).map_or(Self::NotText, Self::Line)
    }
}

impl UserInput {
    pub(crate) fn keys() -> Self {
        Self::Keys { events: EventStream::new(), editor: Editor::default(), entered: std::collections::VecDeque::new() }
    }

    /// Reads stdin in a thread of its own: the process can end while that one still waits for a line.
    pub(crate) fn lines() -> Self {
        // So few that somebody who pipes a large file in waits for the connection and not the file in memory.
        let (sender, lines) = mpsc::channel(16);
        std::thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            let mut line = Vec::new();
            while stdin.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                let text = line.strip_suffix(b"\n").unwrap_or(&line);
                let text = text.strip_suffix(b"\r").unwrap_or(text).to_vec();
                line.clear();
                if sender.blocking_send(text).is_err() {
                    break;
                }
            }
        });
        Self::Lines(lines)
    }

    /// A further act that need not be waited for.
    pub(crate) fn at_once(&mut self) -> Option<Act> {
        match self {
            Self::Lines(lines) => lines.try_recv().ok().map(Act::from_bytes),
            Self::Keys { entered, .. } => entered.pop_front().map(Act::Line),
            Self::Ended => None,
        }
    }

    /// Reads no more lines of stdin, and gives those that were read already. Keys can still be read.
    pub(crate) async fn rest(&mut self) -> Vec<Act> {
        match self {
            Self::Lines(lines) => {
                // The first makes place for the one that the thread holds in its hands, if it waits for place.
                let mut rest: Vec<_> = lines.try_recv().ok().map(Act::from_bytes).into_iter().collect();
                lines.close();
                while let Some(line) = lines.recv().await {
                    rest.push(Act::from_bytes(line));
                }
                rest
            }
            Self::Keys { entered, .. } => std::mem::take(entered).into_iter().map(Act::Line).collect(),
            Self::Ended => Vec::new(),
        }
    }

    /// What is being typed.
    pub(crate) fn typed(&self) -> &str {
        match self {
            Self::Keys { editor, .. } => editor.text(),
            Self::Lines(_) | Self::Ended => "",
        }
    }

    /// The next act; never, once the input has ended. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Act {
        let act = match self {
            Self::Ended => None,
            Self::Lines(lines) => lines.recv().await.map(Act::from_bytes),
            Self::Keys { events, editor, entered } => {
                if let Some(line) = entered.pop_front() {
                    return Act::Line(line);
                }
                match events.next().await {
                    Some(Ok(event)) => Some(on_event(event, editor, entered)),
                    Some(Err(_)) | None => None,
                }
            }
        };
        match act {
            Some(act) => act,
            None => {
                *self = Self::Ended;
                std::future::pending().await
            }
        }
    }
}

fn on_event(event: Event, editor: &mut Editor, entered: &mut std::collections::VecDeque<String>) -> Act {
    match event {
        Event::Key(key) => match editor.on_key(key) {
            Typed::Changed => Act::Typed,
            Typed::Line(line) => Act::Line(line),
            Typed::Interrupt => Act::Interrupt,
        },
        Event::Paste(text) => {
            entered.extend(editor.on_paste(&text));
            Act::Typed
        }
        Event::FocusGained | Event::FocusLost | Event::Mouse(_) | Event::Resize(..) => Act::Typed,
    }
}
