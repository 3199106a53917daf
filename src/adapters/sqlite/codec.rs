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
pub(super) struct Columns<'a, 'stmt> {
    row: &'a Row<'stmt>,
    at: usize,
}

impl<'a, 'stmt> Columns<'a, 'stmt> {
    pub(super) const fn of(row: &'a Row<'stmt>) -> Self {
        Self { row, at: 0 }
    }

    pub(super) fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let value = self.row.get(self.at)?;
        self.at += 1;
        Ok(value)
    }

    /// Passes over columns that say nothing.
    pub(super) const fn skip(&mut self, columns: usize) {
        self.at += columns;
    }

    /// Takes a value and reads it; what does not read is no row of ours.
    fn read<T: FromSql, U>(&mut self, read: impl FnOnce(T) -> Option<U>) -> rusqlite::Result<U> {
        read(self.take()?).ok_or_else(|| self.unreadable())
    }

    /// The same for a column that may be null.
    fn read_if<T: FromSql, U>(
        &mut self,
        read: impl FnOnce(T) -> Option<U>,
    ) -> rusqlite::Result<Option<U>> {
        match self.take::<Option<T>>()? {
            Some(value) => read(value).ok_or_else(|| self.unreadable()).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn unreadable(&self) -> rusqlite::Error {
        let last = self.at.saturating_sub(1);
        let cause = Box::new(FromSqlError::InvalidType);
        rusqlite::Error::FromSqlConversionFailure(last, Type::Null, cause)
    }

    pub(super) fn key(&mut self) -> rusqlite::Result<ClientMessageId> {
        self.take().map(ClientMessageId::from_bytes)
    }

    pub(super) fn key_if(&mut self) -> rusqlite::Result<Option<ClientMessageId>> {
        Ok(self.take::<Option<_>>()?.map(ClientMessageId::from_bytes))
    }

    pub(super) fn conversation_id(&mut self) -> rusqlite::Result<ConversationId> {
        self.read(|text: String| ConversationId::parse(&text))
    }

    pub(super) fn message_id_if(&mut self) -> rusqlite::Result<Option<MessageId>> {
        self.read_if(|text: String| MessageId::parse(&text))
    }

    pub(super) fn user_id_if(&mut self) -> rusqlite::Result<Option<UserId>> {
        self.read_if(|text: String| UserId::parse(&text))
    }

    pub(super) fn place(&mut self) -> rusqlite::Result<SortKey> {
        self.take().map(SortKey::from_i64)
    }

    pub(super) fn place_if(&mut self) -> rusqlite::Result<Option<SortKey>> {
        Ok(self.take::<Option<_>>()?.map(SortKey::from_i64))
    }

    pub(super) fn moment(&mut self) -> rusqlite::Result<WallTime> {
        self.take().map(WallTime::from_millis)
    }

    pub(super) fn moment_if(&mut self) -> rusqlite::Result<Option<WallTime>> {
        Ok(self.take::<Option<_>>()?.map(WallTime::from_millis))
    }

    /// A counter whose bits were kept in a signed column.
    pub(super) fn count(&mut self) -> rusqlite::Result<u64> {
        self.take().map(i64::cast_unsigned)
    }

    pub(super) fn state(&mut self) -> rusqlite::Result<DeliveryState> {
        self.read(|number: u8| DeliveryState::ALL.get(usize::from(number)).copied())
    }

    pub(super) fn completeness(&mut self) -> rusqlite::Result<Completeness> {
        self.read(|number: u8| Completeness::ALL.get(usize::from(number)).copied())
    }

    pub(super) fn kind(&mut self) -> rusqlite::Result<ActionKind> {
        self.read(|number: u8| ActionKind::ALL.get(usize::from(number)).copied())
    }

    pub(super) fn overlay_if(&mut self) -> rusqlite::Result<Option<Overlay>> {
        self.read_if(|number: u8| Overlay::ALL.get(usize::from(number)).copied())
    }

    /// A list or map kept as JSON.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        self.read(|text: String| serde_json::from_str(&text).ok())
    }

    /// The four columns of a reason; there is one where there is a code.
    pub(super) fn reason(&mut self) -> rusqlite::Result<Option<Reason>> {
        let code: Option<String> = self.take()?;
        let retryable: Option<bool> = self.take()?;
        let after: Option<i64> = self.take()?;
        let text: Option<String> = self.take()?;
        Ok(code.map(|code| Reason {
            code,
            retryable: retryable.unwrap_or(false),
            retry_after_ms: after.map(i64::cast_unsigned),
            text: text.unwrap_or_default(),
        }))
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
