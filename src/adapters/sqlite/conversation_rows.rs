//! Statements over the `conversation` table.

use rusqlite::{Connection, Row, params};

use super::{
    asking::{all, first},
    codec::{Columns, json, limit},
    record::{Cell, Column, Table},
    search_index,
};
use crate::domain::{
    conversation::{Context, Conversation, LastMessage, ServerConversation, Status},
    cursor::{ChangeMark, SyncCursor, SyncPosition},
    ids::{ConversationId, UserId},
    message::Role,
    order::SortKey,
    ports::chat_repository::ConversationFilter,
    sorting::sort_by,
    time::WallTime,
};

/// The columns in the order in which [`decode`] takes them.
macro_rules! query {
    ($rest:literal) => {
        concat!(
            "SELECT id, title, archived, draft,
             server_id, persona, status, server_title, context_type, context_id,
             created_at, updated_at, last_message_at, participants, attributes,
             last_id, last_role, last_body, last_at, last_key,
             activity_at, unread, stored, read_to, sync_newest, sync_oldest, sync_listed, mark,
             version, completing
             FROM conversation ",
            $rest
        )
    };
}

pub(super) const ONE: &str = query!("WHERE id = ?1");

pub(super) const LISTED: &str = query!(
    "INDEXED BY conversation_listed
     WHERE hidden = ?1 ORDER BY activity_at DESC, id LIMIT ?2"
);

/// The columns that are written.
pub(super) static TABLE: Table<Conversation> = Table::new(
    "conversation",
    &[
        Column::new("id", |row| row.id.as_str().into()),
        Column::new("title", |row| row.title.as_deref().into()),
        Column::new("archived", |row| row.archived.into()),
        Column::new("draft", |row| row.draft.as_deref().into()),
        Column::new("server_id", |row| row.server.id.as_str().into()),
        Column::new("persona", |row| row.server.persona.as_deref().into()),
        Column::new("status", |row| {
            row.server.status.as_ref().map(Status::as_str).into()
        }),
        Column::new("server_title", |row| row.server.title.as_deref().into()),
        Column::new("context_type", |row| {
            context(row).map(|bound| bound.kind.as_str()).into()
        }),
        Column::new("context_id", |row| {
            context(row).and_then(|bound| bound.id.as_deref()).into()
        }),
        Column::new("created_at", |row| millis(row.server.created_at)),
        Column::new("updated_at", |row| millis(row.server.updated_at)),
        Column::new("last_message_at", |row| millis(row.server.last_message_at)),
        Column::new("participants", people),
        Column::new("attributes", |row| json(&row.server.attributes).into()),
        Column::new("last_id", |row| {
            last(row).map(|last| last.id.as_bytes()).into()
        }),
        Column::new("last_role", |row| {
            last(row).map(|last| last.role.as_str()).into()
        }),
        Column::new("last_body", |row| {
            last(row).map(|last| last.text.as_str()).into()
        }),
        Column::new("last_at", |row| millis(last(row).and_then(|last| last.at))),
        Column::new("last_key", |row| {
            last(row).map(|last| last.key.as_i64()).into()
        }),
        Column::new("activity_at", |row| millis(row.activity_at)),
        Column::new("hidden", |row| row.is_archived().into()),
        Column::new("unread", |row| row.unread.into()),
        Column::new("stored", |row| row.stored.cast_signed().into()),
        Column::new("read_to", |row| row.read_to.map(SortKey::as_i64).into()),
        Column::new("sync_newest", |row| cursor(row.sync.newest.as_ref())),
        Column::new("sync_oldest", |row| cursor(row.sync.oldest.as_ref())),
        Column::new("sync_listed", |row| mark(row.sync.listed.as_ref())),
        Column::new("mark", |row| mark(row.server.mark.as_ref())),
        Column::new("version", |row| row.version.cast_signed().into()),
        Column::new("completing", |row| row.completing.into()),
    ],
);

const REMOVE: &str = "DELETE FROM conversation WHERE id = ?1";

pub(super) fn one(db: &Connection, id: &ConversationId) -> rusqlite::Result<Option<Conversation>> {
    first(db, ONE, params![id.as_str()], decode)
}

pub(super) fn list(
    db: &Connection,
    filter: ConversationFilter,
) -> rusqlite::Result<Vec<Conversation>> {
    let most = match filter.limit {
        0 => usize::MAX,
        some => some,
    };
    let mut list = part(db, false, most)?;
    if filter.include_archived {
        list.extend(part(db, true, most)?);
        sort_by(&mut list, |a, b| {
            (b.activity_at, &a.id).cmp(&(a.activity_at, &b.id))
        });
        list.truncate(most);
    }
    Ok(list)
}

/// The newest of the open ones, or of the hidden ones.
fn part(db: &Connection, hidden: bool, most: usize) -> rusqlite::Result<Vec<Conversation>> {
    all(db, LISTED, params![hidden, limit(most)], decode)
}

/// Writes a row whole, or what differs from the row as it is stored.
pub(super) fn put(
    db: &Connection,
    before: Option<&Conversation>,
    row: &Conversation,
) -> rusqlite::Result<()> {
    match before {
        Some(before) => TABLE.update(db, before, row),
        None => TABLE.insert(db, row),
    }
}

/// Writes a row whole over whatever is stored of it, readable or not.
pub(super) fn replace(db: &Connection, row: &Conversation) -> rusqlite::Result<()> {
    TABLE.replace(db, row)
}

pub(super) fn remove(db: &Connection, id: &ConversationId) -> rusqlite::Result<()> {
    let before = search_index::before_remove_all(db, id)?;
    db.prepare_cached(REMOVE)?.execute([id.as_str()])?;
    search_index::after_remove(db, before.iter())
}

fn context(row: &Conversation) -> Option<&Context> {
    row.server.context.as_ref()
}

const fn last(row: &Conversation) -> Option<&LastMessage> {
    row.last_message.as_ref()
}

fn people(row: &Conversation) -> Cell<'_> {
    let names: Vec<&str> = row.server.participants.iter().map(UserId::as_str).collect();
    json(&names).into()
}

fn millis(at: Option<WallTime>) -> Cell<'static> {
    at.map(WallTime::as_millis).into()
}

fn cursor(at: Option<&SyncCursor>) -> Cell<'_> {
    at.map(SyncCursor::as_str).into()
}

fn mark(of: Option<&ChangeMark>) -> Cell<'_> {
    of.map(ChangeMark::as_str).into()
}

fn decode(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    let columns = &mut Columns::of(row);
    let mut read = Conversation {
        id: columns.conversation_id()?,
        title: columns.take(),
        archived: columns.take(),
        draft: columns.take(),
        server: decode_server(columns)?,
        last_message: decode_last(columns),
        activity_at: columns.moment_if(),
        unread: columns.take(),
        stored: columns.count(),
        read_to: columns.place_if(),
        sync: SyncPosition {
            newest: columns.take::<Option<String>>().map(SyncCursor::new),
            oldest: columns.take::<Option<String>>().map(SyncCursor::new),
            listed: columns.take::<Option<String>>().map(ChangeMark::new),
        },
        version: 0,
        completing: false,
    };
    read.server.mark = columns.take::<Option<String>>().map(ChangeMark::new);
    read.version = columns.count();
    read.completing = columns.take();
    columns.whole(read)
}

fn decode_server(columns: &mut Columns<'_, '_>) -> rusqlite::Result<ServerConversation> {
    Ok(ServerConversation {
        id: columns.conversation_id()?,
        persona: columns.take(),
        status: columns
            .take::<Option<String>>()
            .map(|word| Status::new(&word)),
        title: columns.take(),
        context: decode_context(columns),
        created_at: columns.moment_if(),
        updated_at: columns.moment_if(),
        last_message_at: columns.moment_if(),
        participants: decode_people(columns),
        attributes: columns.json(),
        mark: None,
    })
}

fn decode_context(columns: &mut Columns<'_, '_>) -> Option<Context> {
    let kind: Option<String> = columns.take();
    let id = columns.take();
    kind.map(|kind| Context { kind, id })
}

fn decode_people(columns: &mut Columns<'_, '_>) -> Vec<UserId> {
    let names: Vec<String> = columns.json();
    names
        .iter()
        .filter_map(|name| UserId::parse(name))
        .collect()
}

fn decode_last(columns: &mut Columns<'_, '_>) -> Option<LastMessage> {
    let Some(id) = columns.key_if() else {
        columns.skip(4);
        return None;
    };
    Some(LastMessage {
        id,
        role: Role::parse(&columns.take::<String>()),
        text: columns.take(),
        at: columns.moment_if(),
        key: columns.place(),
    })
}
