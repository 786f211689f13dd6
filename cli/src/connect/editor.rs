//! The line that is being typed, where the terminal leaves the editing to us.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The line that is being typed.
#[derive(Debug, Default)]
pub(crate) struct Editor {
    text: String,
}

/// What a key led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// The line may look different now.
    Changed,
    /// The line was entered.
    Line(String),
    /// The user wants to end.
    Interrupt,
}

impl Editor {
    /// The text so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// A key was pressed. As in a terminal's own line: backspace, ctrl-W, ctrl-U, enter, ctrl-C; ctrl-D ends on an empty
    /// line.
    pub(crate) fn on_key(&mut self, key: KeyEvent) -> Typed {
        if key.kind == KeyEventKind::Release {
            return Typed::Changed;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            if key.code == KeyCode::Char('c') || key.code == KeyCode::Char('d') && self.text.is_empty() {
                return Typed::Interrupt;
            } else if key.code == KeyCode::Char('u') {
                self.text.clear();
            } else if key.code == KeyCode::Char('w') {
                let kept = self.text.trim_end().rfind(char::is_whitespace).map_or(0, |space| space.saturating_add(1));
                self.text.truncate(kept);
            }
        } else if let KeyCode::Char(c) = key.code {
            self.text.push(c);
        } else if key.code == KeyCode::Backspace {
            self.text.pop();
        } else if key.code == KeyCode::Enter {
            return Typed::Line(std::mem::take(&mut self.text));
        }
        Typed::Changed
    }

    /// Text was pasted; each of its lines is entered but the last.
    pub(crate) fn on_paste(&mut self, pasted: &str) -> Vec<String> {
        let mut lines: Vec<String> = pasted.replace("\r\n", "\n").split(['\r', '\n']).map(str::to_owned).collect();
        let last = lines.pop().unwrap_or_default();
        if let Some(first) = lines.first_mut() {
            first.insert_str(0, &std::mem::take(&mut self.text));
        }
        self.text.push_str(&last);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(editor: &mut Editor, code: KeyCode, modifiers: KeyModifiers) -> Typed {
        editor.on_key(KeyEvent::new(code, modifiers))
    }

    fn write(editor: &mut Editor, text: &str) {
        for c in text.chars() {
            assert_eq!(press(editor, KeyCode::Char(c), KeyModifiers::NONE), Typed::Changed);
        }
    }

    #[test]
    fn a_line_is_typed_corrected_and_entered() {
        let mut editor = Editor::default();
        write(&mut editor, "hello wörld");
        press(&mut editor, KeyCode::Backspace, KeyModifiers::NONE);
        assert_eq!(editor.text(), "hello wörl");
        press(&mut editor, KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(editor.text(), "hello ");
        assert_eq!(press(&mut editor, KeyCode::Enter, KeyModifiers::NONE), Typed::Line("hello ".into()));
        assert_eq!(editor.text(), "");
    }

    #[test]
    fn the_ways_to_end() {
        let mut editor = Editor::default();
        assert_eq!(press(&mut editor, KeyCode::Char('d'), KeyModifiers::CONTROL), Typed::Interrupt);
        write(&mut editor, "x");
        assert_eq!(press(&mut editor, KeyCode::Char('d'), KeyModifiers::CONTROL), Typed::Changed);
        assert_eq!(press(&mut editor, KeyCode::Char('c'), KeyModifiers::CONTROL), Typed::Interrupt);
        press(&mut editor, KeyCode::Char('u'), KeyModifiers::CONTROL);
        assert_eq!(editor.text(), "");
    }

    #[test]
    fn pasted_lines_are_entered_one_by_one() {
        let mut editor = Editor::default();
        write(&mut editor, "a");
        assert_eq!(editor.on_paste("b\r\nc\nd"), ["ab", "c"]);
        assert_eq!(editor.text(), "d");
    }
}
