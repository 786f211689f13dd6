//! What a typed line means.

/// A line that the user typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// To be sent.
    Message(String),
    /// `/reconnect`: a new connection now.
    Reconnect,
    /// `/auto on` or `/auto off`: whether to reconnect automatically.
    Auto(bool),
    /// `/status`: say how things stand.
    Status,
    /// `/quit`: close and end.
    Quit,
}

impl Said {
    /// Reads a line. A leading `//` sends a message that begins with a slash.
    ///
    /// # Errors
    /// One line that names the word and what is allowed; nothing is sent then.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let Some(command) = line.strip_prefix('/') else {
            return Ok(Self::Message(line.to_owned()));
        };
        if command.starts_with('/') {
            return Ok(Self::Message(command.to_owned()));
        }
        let words: Vec<_> = command.split_whitespace().collect();
        match words.as_slice() {
            ["reconnect"] => Ok(Self::Reconnect),
            ["auto", "on"] => Ok(Self::Auto(true)),
            ["auto", "off"] => Ok(Self::Auto(false)),
            ["status"] => Ok(Self::Status),
            ["quit"] => Ok(Self::Quit),
            _ => Err(format!(
                "{:?} is no command and was not sent; allowed: /reconnect, /auto on, /auto off, /status, /quit, or // to \
                 send a slash",
                line.trim_end()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_messages_unless_they_begin_with_a_slash() {
        assert_eq!(Said::parse("hello /quit"), Ok(Said::Message("hello /quit".into())));
        assert_eq!(Said::parse(""), Ok(Said::Message(String::new())));
        assert_eq!(Said::parse("//quit"), Ok(Said::Message("/quit".into())));
        assert_eq!(Said::parse("///"), Ok(Said::Message("//".into())));
        assert_eq!(Said::parse("/reconnect"), Ok(Said::Reconnect));
        assert_eq!(Said::parse("/auto  off "), Ok(Said::Auto(false)));
        assert_eq!(Said::parse("/auto on"), Ok(Said::Auto(true)));
        assert_eq!(Said::parse("/status"), Ok(Said::Status));
        assert_eq!(Said::parse("/quit"), Ok(Said::Quit));
    }

    #[test]
    fn an_unknown_command_is_not_sent() {
        for line in ["/", "/auto", "/auto maybe", "/quit now", "/Quit"] {
            let error = Said::parse(line).unwrap_err();
            assert!(error.contains(line) && error.contains("/reconnect"), "{error}");
        }
    }
}
