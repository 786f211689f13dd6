//! Commands as lines of text.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};

use super::command::Command;
use super::control::{Control, ControlError};

/// Reads commands, one a line, and writes one line in answer to each, until the lines end or the proxy has stopped.
/// A line that is no command is answered with `error: ` and the reason; empty lines and those that begin with `#` are
/// passed over.
///
/// # Errors
/// What reading or writing fails with.
pub async fn console<R, W>(control: Control, mut lines: R, mut answers: W) -> io::Result<()>
where
    R: AsyncBufRead + Unpin,
    W: AsyncWrite + Unpin,
{
    while let Some(line) = next_line(&mut lines).await? {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (answer, stopped) = match line.parse::<Command>() {
            Err(error) => (format!("error: {error}\n"), false),
            Ok(command) => match control.apply(command).await {
                Ok(reply) => (format!("{reply}\n"), false),
                Err(error @ ControlError::Stopped) => (format!("error: {error}\n"), true),
                Err(error @ ControlError::Listen(_)) => (format!("error: {error}\n"), false),
            },
        };
        answers.write_all(answer.as_bytes()).await?;
        answers.flush().await?;
        if stopped {
            break;
        }
    }
    Ok(())
}

/// The longest command is shorter than a hundred bytes; what is longer is kept only so far, so that a line without
/// an end takes no memory.
const LINE_BYTES: usize = 256;

/// The next line, cut at [`LINE_BYTES`] and without its end; `None` when there are no more.
async fn next_line<R: AsyncBufRead + Unpin>(lines: &mut R) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut begun = false;
    loop {
        let bytes = lines.fill_buf().await?;
        if bytes.is_empty() {
            break;
        }
        begun = true;
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let room = LINE_BYTES.saturating_sub(line.len());
        line.extend(part.iter().take(room));
        let used = part.len().saturating_add(usize::from(end.is_some()));
        lines.consume(used);
        if end.is_some() {
            break;
        }
    }
    Ok(begun.then(|| String::from_utf8_lossy(&line).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_without_an_end_takes_no_memory() {
        let input = format!("{}\r\nnext\n\nlast", "x".repeat(1_000_000));
        // In small pieces, as a terminal or a pipe brings them.
        let mut lines = tokio::io::BufReader::with_capacity(100, input.as_bytes());
        let mut read = Vec::new();
        while let Some(line) = next_line(&mut lines).await.unwrap() {
            read.push(line);
        }
        assert_eq!(read, ["x".repeat(LINE_BYTES).as_str(), "next", "", "last"]);
    }
}
