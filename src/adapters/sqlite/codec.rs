//! Between columns and values. Reading checks everything: a file is outside input.

use rusqlite::{
    Row,
    types::{FromSql, FromSqlError, Type},
};

use crate::domain::{
    delivery::{DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId, MessageId, UserId},
    message::{Completeness, Overlay},
    order::SortKey,
    outbox::ActionKind,
    time::WallTime,
};

/// Reads the columns of a row one after the other.
///
/// What cannot be read becomes a value that says nothing, and the row no row: [`Columns::whole`]
/// tells at the end, once for all columns.
pub(super) struct Columns<'a, 'stmt> {
    row: &'a Row<'stmt>,
    at: usize,
    /// The first that could not be read.
    failed: Option<rusqlite::Error>,
}

impl<'a, 'stmt> Columns<'a, 'stmt> {
    pub(super) const fn of(row: &'a Row<'stmt>) -> Self {
        let failed = None;
        Self { row, at: 0, failed }
    }

    pub(super) fn take<T: FromSql + Default>(&mut self) -> T {
        let value = self.row.get(self.at);
        self.at += 1;
        value.unwrap_or_else(|error| {
            self.fail(error);
            T::default()
        })
    }

    /// Passes over columns that say nothing.
    pub(super) const fn skip(&mut self, columns: usize) {
        self.at += columns;
    }

    /// The row read from these columns, where all of them could be.
    ///
    /// # Errors
    /// What was wrong with the first that could not.
    pub(super) fn whole<T>(&mut self, row: T) -> rusqlite::Result<T> {
        self.failed.take().map_or(Ok(row), Err)
    }

    /// A value that there must be; where there is none, the columns taken so far do not read.
    ///
    /// # Errors
    /// As [`Self::whole`].
    pub(super) fn must<T>(&mut self, value: Option<T>) -> rusqlite::Result<T> {
        value.ok_or_else(|| {
            let unreadable = self.unreadable();
            self.failed.take().unwrap_or(unreadable)
        })
    }

    fn fail(&mut self, error: rusqlite::Error) {
        self.failed.get_or_insert(error);
    }

    fn fail_to_read(&mut self) {
        self.fail(self.unreadable());
    }

    fn unreadable(&self) -> rusqlite::Error {
        let last = self.at.saturating_sub(1);
        let cause = Box::new(FromSqlError::InvalidType);
        rusqlite::Error::FromSqlConversionFailure(last, Type::Null, cause)
    }

    /// Takes a text that may be null and reads it; what does not read is no row of ours.
    fn read_if<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text: Option<String> = self.take();
        let value = text.as_deref().and_then(read);
        if value.is_none() && text.is_some() {
            self.fail_to_read();
        }
        value
    }

    /// Takes the number of one of these.
    fn one_of<T: Copy, const N: usize>(&mut self, all: &[T; N]) -> T {
        let number: u8 = self.take();
        all.get(usize::from(number)).copied().unwrap_or_else(|| {
            self.fail_to_read();
            all[0]
        })
    }

    pub(super) fn key(&mut self) -> ClientMessageId {
        ClientMessageId::from_bytes(self.take())
    }

    pub(super) fn key_if(&mut self) -> Option<ClientMessageId> {
        self.take::<Option<_>>().map(ClientMessageId::from_bytes)
    }

    /// # Errors
    /// As [`Self::must`]: there is no id that says nothing.
    pub(super) fn conversation_id(&mut self) -> rusqlite::Result<ConversationId> {
        let id = ConversationId::parse(&self.take::<String>());
        self.must(id)
    }

    pub(super) fn message_id_if(&mut self) -> Option<MessageId> {
        self.read_if(MessageId::parse)
    }

    pub(super) fn user_id_if(&mut self) -> Option<UserId> {
        self.read_if(UserId::parse)
    }

    pub(super) fn place(&mut self) -> SortKey {
        SortKey::from_i64(self.take())
    }

    pub(super) fn place_if(&mut self) -> Option<SortKey> {
        self.take::<Option<_>>().map(SortKey::from_i64)
    }

    pub(super) fn moment(&mut self) -> WallTime {
        WallTime::from_millis(self.take())
    }

    pub(super) fn moment_if(&mut self) -> Option<WallTime> {
        self.take::<Option<_>>().map(WallTime::from_millis)
    }

    /// A counter whose bits were kept in a signed column.
    pub(super) fn count(&mut self) -> u64 {
        self.take::<i64>().cast_unsigned()
    }

    pub(super) fn state(&mut self) -> DeliveryState {
        self.one_of(&DeliveryState::ALL)
    }

    pub(super) fn completeness(&mut self) -> Completeness {
        self.one_of(&Completeness::ALL)
    }

    pub(super) fn kind(&mut self) -> ActionKind {
        self.one_of(&ActionKind::ALL)
    }

    pub(super) fn overlay_if(&mut self) -> Option<Overlay> {
        let number: u8 = self.take::<Option<_>>()?;
        let overlay = Overlay::ALL.get(usize::from(number)).copied();
        if overlay.is_none() {
            self.fail_to_read();
        }
        overlay
    }

    /// A list or map kept as JSON.
    pub(super) fn json<T: serde::de::DeserializeOwned + Default>(&mut self) -> T {
        let text: String = self.take();
        serde_json::from_str(&text).unwrap_or_else(|_| {
            self.fail_to_read();
            T::default()
        })
    }

    /// The four columns of a reason; there is one where there is a code.
    pub(super) fn reason(&mut self) -> Option<Reason> {
        let code: Option<String> = self.take();
        let retryable: Option<bool> = self.take();
        let after: Option<i64> = self.take();
        let text: Option<String> = self.take();
        code.map(|code| Reason {
            code,
            retryable: retryable.unwrap_or(false),
            retry_after_ms: after.map(i64::cast_unsigned),
            text: text.unwrap_or_default(),
        })
    }
}

/// The number stored for a state.
pub(super) fn state_number(state: DeliveryState) -> i64 {
    number(&DeliveryState::ALL, &state)
}

/// The number stored for a completeness.
pub(super) fn completeness_number(completeness: Completeness) -> i64 {
    number(&Completeness::ALL, &completeness)
}

/// The number stored for an overlay.
pub(super) fn overlay_number(overlay: Overlay) -> i64 {
    number(&Overlay::ALL, &overlay)
}

/// The number stored for a kind of action.
pub(super) fn kind_number(kind: ActionKind) -> i64 {
    number(&ActionKind::ALL, &kind)
}

/// A value that is missing from its list gets a number that the schema refuses.
pub(super) fn number<T: PartialEq>(all: &[T], value: &T) -> i64 {
    let place = all.iter().position(|one| one == value);
    place.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)
}

/// A limit as SQLite takes it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// JSON of strings; it cannot fail, and were it to, `null` would be refused at reading.
pub(super) fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::Columns;

    #[test]
    fn one_column_that_does_not_read_makes_the_row_none_and_the_first_is_told() {
        let db = Connection::open_in_memory().expect("a database");
        let wrong = |sql: &str| {
            let read = db.query_row(sql, (), |row| {
                let columns = &mut Columns::of(row);
                let _ = (
                    columns.take::<i64>(),
                    columns.state(),
                    columns.json::<Vec<u8>>(),
                );
                columns.whole(())
            });
            match read {
                Err(rusqlite::Error::FromSqlConversionFailure(at, ..)) => Some(at),
                Err(rusqlite::Error::InvalidColumnType(at, ..)) => Some(at),
                Err(error) => panic!("{error}"),
                Ok(()) => None,
            }
        };
        assert_eq!(wrong("SELECT 7, 1, '[2]'"), None);
        assert_eq!(wrong("SELECT 'seven', 1, '[2]'"), Some(0));
        assert_eq!(wrong("SELECT 7, 99, '[2]'"), Some(1));
        assert_eq!(wrong("SELECT 7, 1, '{'"), Some(2));
        assert_eq!(wrong("SELECT 7, 99, '{'"), Some(1));
    }
}
