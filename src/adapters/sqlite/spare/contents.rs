//! What a spare says, read from its bytes.

use std::{io::ErrorKind, path::Path};

use super::{Kept, Line, line::sealed, place};
use crate::{
    adapters::sqlite::{
        cipher::{self, LineCipher},
        error::io_failed,
        generic::GenericRow,
        options::SqliteOptions,
    },
    domain::{ports::chat_repository::RowResult, sorted_map::SortedMap, sorting::sort_by_key},
};

/// The rows that are live by the spare's word.
#[derive(Debug, Default)]
pub(in super::super) struct Contents {
    /// The number of the newest commit that it knows.
    pub(in super::super) last: i64,
    /// Whether a line is damaged: something may be missing, something that is gone still here.
    pub(in super::super) torn: bool,
    rows: SortedMap<(Kept, String), Line>,
    gone: SortedMap<(Kept, String), Line>,
}

impl Contents {
    /// Reads the spare of a store; one that is missing says nothing.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(in super::super) fn read(options: &SqliteOptions) -> RowResult<Self> {
        let cipher = cipher::lines(options)?;
        Ok(Self::parse(&bytes(&options.path)?, cipher.as_ref()))
    }

    fn parse(bytes: &[u8], cipher: Option<&LineCipher>) -> Self {
        let mut this = Self::default();
        let mut lines = Vec::new();
        for text in bytes.split_inclusive(|byte| *byte == b'\n') {
            let whole = text.strip_suffix(b"\n");
            let whole = whole.and_then(|line| Line::decode(line, cipher));
            this.torn |= whole.is_none();
            lines.extend(whole);
        }
        // Of two processes the one that committed first may have written last.
        sort_by_key(&mut lines, |line| line.number);
        for line in lines {
            this.take(line);
        }
        this
    }

    fn take(&mut self, line: Line) {
        self.last = self.last.max(line.number);
        let key = (line.kept, line.key.clone());
        if line.row.is_some() {
            self.gone.remove(&key);
            self.rows.insert(key, line);
            return;
        }
        self.rows.remove(&key);
        if line.kept == Kept::Conversation {
            let gone = Some(&line.key);
            self.rows.retain(|_, row| row.conversation.as_ref() != gone);
        }
        self.gone.insert(key, line);
    }

    /// The live rows, conversations first.
    pub(in super::super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.rows.values()
    }

    /// The rows that were removed in a commit above that number.
    pub(in super::super) fn gone_after(&self, number: i64) -> impl Iterator<Item = &Line> {
        let gone = self.gone.values();
        gone.filter(move |line| line.number > number)
    }

    /// The live unsent actions.
    pub(in super::super) fn outbox(&self) -> impl Iterator<Item = &Line> {
        self.lines().filter(|line| line.kept == Kept::Outbox)
    }

    /// The live conversations.
    pub(in super::super) fn conversations(&self) -> impl Iterator<Item = (&str, &GenericRow)> {
        let lines = self.lines().filter(|line| line.kept == Kept::Conversation);
        lines.filter_map(|line| Some((line.key.as_str(), line.row.as_ref()?)))
    }
}

/// How the lines of a spare are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Language {
    /// There is no line that could be read.
    None,
    Plain,
    Sealed,
}

/// How the spare of a store is written, told without a key: a plain line has its checksum, and what
/// only begins like an encrypted one may be damage.
///
/// # Errors
/// Where it cannot be read.
pub(in super::super) fn language(store: &Path) -> RowResult<Language> {
    bytes(store).map(|bytes| language_of(&bytes))
}

fn language_of(bytes: &[u8]) -> Language {
    if lines(bytes).any(|line| Line::decode(line, None).is_some()) {
        Language::Plain
    } else if lines(bytes).any(|line| sealed(line).is_some()) {
        Language::Sealed
    } else {
        Language::None
    }
}

/// Whether any line of the spare was written with that cipher.
///
/// # Errors
/// Where it cannot be read.
pub(in super::super) fn is_under(store: &Path, cipher: &LineCipher) -> RowResult<bool> {
    let bytes = bytes(store)?;
    let mut sealed = lines(&bytes).filter_map(sealed);
    Ok(sealed.any(|line| cipher.open(line).is_some()))
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n')
}

fn bytes(store: &Path) -> RowResult<Vec<u8>> {
    match std::fs::read(place(store)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|error| io_failed(&error)),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;

    use super::*;

    fn line(number: i64, kept: Kept, key: &str, live: bool) -> Line {
        let row = GenericRow(vec![("n".to_owned(), Value::Integer(number))]);
        Line {
            number,
            version: 2,
            kept,
            key: key.to_owned(),
            conversation: (kept != Kept::Conversation).then(|| "c".to_owned()),
            row: live.then_some(row),
        }
    }

    fn read(lines: &[Line]) -> Contents {
        let text: String = lines.iter().filter_map(|line| line.encode(None)).collect();
        Contents::parse(text.as_bytes(), None)
    }

    fn keys(contents: &Contents) -> Vec<&str> {
        contents.lines().map(|line| line.key.as_str()).collect()
    }

    #[test]
    fn the_newest_word_counts_wherever_it_stands() {
        let lines = [
            line(3, Kept::Outbox, "a", false),
            line(1, Kept::Outbox, "a", true),
            line(2, Kept::Outbox, "b", true),
        ];
        let contents = read(&lines);
        assert_eq!((keys(&contents), contents.last), (vec!["b"], 3));
        assert!(!contents.torn);
    }

    #[test]
    fn noise_that_begins_like_an_encrypted_line_makes_no_store_an_encrypted_one() {
        let plain = line(1, Kept::Outbox, "a", true).encode(None);
        let plain = plain.expect("a line").into_bytes();
        let noise = b"~\x07\xff".to_vec();
        assert_eq!(language_of(&plain), Language::Plain);
        assert_eq!(language_of(&noise), Language::Sealed);
        for mixed in [[&noise[..], b"\n", &plain], [&plain, &noise, b"\n"]] {
            assert_eq!(language_of(&mixed.concat()), Language::Plain);
        }
        assert_eq!(language_of(b"\x07\n\xff"), Language::None);
    }

    #[test]
    fn with_a_conversation_goes_what_is_in_it() {
        let lines = [
            line(1, Kept::Conversation, "c", true),
            line(2, Kept::Outbox, "a", true),
            line(3, Kept::Conversation, "c", false),
        ];
        assert_eq!(keys(&read(&lines)), [""; 0]);
    }

    #[test]
    fn a_damaged_line_is_told_and_costs_no_other() {
        let lines = ["a", "b", "c"].map(|key| line(1, Kept::Outbox, key, true));
        let text: String = lines.iter().filter_map(|line| line.encode(None)).collect();
        let mut bytes = text.clone().into_bytes();
        bytes[text.len() / 2] ^= 1;
        let contents = Contents::parse(&bytes, None);
        assert_eq!((keys(&contents), contents.torn), (vec!["a", "c"], true));
        let cut = Contents::parse(&text.as_bytes()[..text.len() - 1], None);
        assert_eq!((keys(&cut), cut.torn), (vec!["a", "b"], true));
    }
}
