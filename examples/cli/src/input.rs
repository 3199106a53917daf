//! Lines from stdin, read on a thread of its own so that waiting for one holds up nothing.

use std::{
    io::{BufRead, Read},
    thread,
};

use tokio::sync::mpsc;

/// No line of text or JSON that makes sense is longer.
const LONGEST: u64 = 4 * 1024 * 1024;

/// One line, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The line, without its end.
    Text(String),
    /// It is not UTF-8.
    NotText,
    /// It is longer than allowed; the rest of it was skipped.
    TooLong,
}

/// The lines of stdin; the channel closes at their end.
pub(crate) fn lines() -> mpsc::Receiver<Line> {
    let (tx, rx) = mpsc::channel(16);
    thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        while let Some(line) = next(&mut stdin) {
            if tx.blocking_send(line).is_err() {
                break;
            }
        }
    });
    rx
}

fn next(reader: &mut impl BufRead) -> Option<Line> {
    let mut bytes = Vec::new();
    let read = reader.take(LONGEST).read_until(b'\n', &mut bytes);
    if read.ok()? == 0 {
        return None;
    }
    if bytes.last() != Some(&b'\n') && bytes.len() as u64 == LONGEST {
        skip_line(reader);
        return Some(Line::TooLong);
    }
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    Some(String::from_utf8(bytes).map_or(Line::NotText, Line::Text))
}

fn skip_line(reader: &mut impl BufRead) {
    loop {
        let (used, ended) = match reader.fill_buf() {
            Ok(buffer) => match buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            },
            Err(_) => (0, true),
        };
        reader.consume(used);
        if ended {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_kind_are_read_one_by_one() {
        let mut bytes: Vec<u8> = b"one\r\n\xff\xfe\n\n".to_vec();
        bytes.extend(std::iter::repeat_n(b'x', LONGEST as usize + 10));
        bytes.extend(b"\nlast");
        let mut reader = std::io::Cursor::new(bytes);
        let all: Vec<Line> = std::iter::from_fn(|| next(&mut reader)).collect();
        let text = |text: &str| Line::Text(text.to_owned());
        assert_eq!(
            all,
            [
                text("one"),
                Line::NotText,
                text(""),
                Line::TooLong,
                text("last")
            ]
        );
    }
}
