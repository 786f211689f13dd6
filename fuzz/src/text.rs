//! What every message to people keeps to.

/// An error is one line, without characters that a terminal would act on.
pub(crate) fn assert_one_line(message: &str) {
    assert!(!message.is_empty(), "an error says something");
    assert!(!message.contains(char::is_control), "an error is one line: {message:?}");
}
