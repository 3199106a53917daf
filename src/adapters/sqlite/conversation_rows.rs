//! Statements over the `conversation` table.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::{
    codec::{Columns, json, limit},
    search_index,
};
use crate::domain::{
    conversation::{Context, Conversation, LastMessage, ServerConversation, Status},
    cursor::{ChangeMark, SyncCursor, SyncPosition},
    ids::{ConversationId, UserId},
    message::Role,
    ports::chat_repository::ConversationFilter,
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

const INSERT: &str = "INSERT INTO conversation (
    id, title, archived, draft,
    server_id, persona, status, server_title,
    created_at, updated_at, last_message_at, participants, attributes,
    last_id, last_role, last_body, last_at, last_key,
    unread, stored, read_to, sync_newest, sync_oldest, sync_listed, mark, version, completing,
    hidden, activity_at, context_type, context_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
    ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)";

/// Columns that no index holds, so that an update of them alone dirties one page.
pub(super) const UPDATE: &str = "UPDATE conversation SET
    title = ?2, archived = ?3, draft = ?4,
    server_id = ?5, persona = ?6, status = ?7, server_title = ?8,
    created_at = ?9, updated_at = ?10, last_message_at = ?11, participants = ?12, attributes = ?13,
    last_id = ?14, last_role = ?15, last_body = ?16, last_at = ?17, last_key = ?18,
    unread = ?19, stored = ?20, read_to = ?21, sync_newest = ?22, sync_oldest = ?23,
    sync_listed = ?24, mark = ?25, version = ?26, completing = ?27
    WHERE id = ?1";

/// The list's columns; in most cases nothing of them changed and no index is touched.
pub(super) const UPDATE_LISTING: &str = "UPDATE conversation SET hidden = ?2, activity_at = ?3
    WHERE id = ?1 AND (hidden IS NOT ?2 OR activity_at IS NOT ?3)";

/// The binding, which changes at most once.
pub(super) const UPDATE_CONTEXT: &str = "UPDATE conversation SET context_type = ?2, context_id = ?3
    WHERE id = ?1 AND (context_type IS NOT ?2 OR context_id IS NOT ?3)";

const REMOVE: &str = "DELETE FROM conversation WHERE id = ?1";

pub(super) fn one(db: &Connection, id: &ConversationId) -> rusqlite::Result<Option<Conversation>> {
    let mut statement = db.prepare_cached(ONE)?;
    statement.query_row([id.as_str()], decode).optional()
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
        list.sort_by(|a, b| (b.activity_at, &a.id).cmp(&(a.activity_at, &b.id)));
        list.truncate(most);
    }
    Ok(list)
}

/// The newest of the open ones, or of the hidden ones.
fn part(db: &Connection, hidden: bool, most: usize) -> rusqlite::Result<Vec<Conversation>> {
    let mut statement = db.prepare_cached(LISTED)?;
    let rows = statement.query_map(params![hidden, limit(most)], decode)?;
    rows.collect()
}

pub(super) fn put(db: &Connection, conversation: &Conversation) -> rusqlite::Result<()> {
    if !update(db, conversation)? {
        insert(db, conversation)?;
    }
    Ok(())
}

pub(super) fn remove(db: &Connection, id: &ConversationId) -> rusqlite::Result<()> {
    let before = search_index::before_remove_all(db, id)?;
    db.prepare_cached(REMOVE)?.execute([id.as_str()])?;
    search_index::after_remove(db, before.iter())
}

/// Whether there was such a conversation to update.
fn update(db: &Connection, conversation: &Conversation) -> rusqlite::Result<bool> {
    let id = conversation.id.as_str();
    let found = with_plain(conversation, |plain| {
        db.prepare_cached(UPDATE)?.execute(plain)
    })?;
    if found == 0 {
        return Ok(false);
    }
    let listing = params![id, conversation.is_archived(), activity(conversation)];
    db.prepare_cached(UPDATE_LISTING)?.execute(listing)?;
    let (kind, entity) = context(conversation);
    db.prepare_cached(UPDATE_CONTEXT)?
        .execute(params![id, kind, entity])?;
    Ok(true)
}

fn insert(db: &Connection, conversation: &Conversation) -> rusqlite::Result<usize> {
    let hidden = conversation.is_archived();
    let activity = activity(conversation);
    let (kind, entity) = context(conversation);
    with_plain(conversation, |plain| {
        let rest: [&dyn ToSql; 4] = [&hidden, &activity, &kind, &entity];
        let all: Vec<&dyn ToSql> = plain.iter().copied().chain(rest).collect();
        db.prepare_cached(INSERT)?.execute(all.as_slice())
    })
}

fn activity(conversation: &Conversation) -> Option<i64> {
    conversation.activity_at.map(|at| at.as_millis())
}

fn context(conversation: &Conversation) -> (Option<&str>, Option<&str>) {
    match &conversation.server.context {
        Some(context) => (Some(&context.kind), context.id.as_deref()),
        None => (None, None),
    }
}

/// Binds the id and the columns that no index holds.
fn with_plain<T>(of: &Conversation, run: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
    let said = &of.server;
    let last = of.last_message.as_ref();
    let people: Vec<&str> = said.participants.iter().map(UserId::as_str).collect();
    run(params![
        of.id.as_str(),
        of.title,
        of.archived,
        of.draft,
        said.id.as_str(),
        said.persona,
        said.status.as_ref().map(Status::as_str),
        said.title,
        said.created_at.map(|at| at.as_millis()),
        said.updated_at.map(|at| at.as_millis()),
        said.last_message_at.map(|at| at.as_millis()),
        json(&people),
        json(&said.attributes),
        last.map(|last| last.id.as_bytes()),
        last.map(|last| last.role.as_str()),
        last.map(|last| last.text.as_str()),
        last.and_then(|last| last.at).map(|at| at.as_millis()),
        last.map(|last| last.key.as_i64()),
        of.unread,
        of.stored.cast_signed(),
        of.read_to.map(|key| key.as_i64()),
        of.sync.newest.as_ref().map(SyncCursor::as_str),
        of.sync.oldest.as_ref().map(SyncCursor::as_str),
        of.sync.listed.as_ref().map(ChangeMark::as_str),
        said.mark.as_ref().map(ChangeMark::as_str),
        of.version.cast_signed(),
        of.completing,
    ])
}

fn decode(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    let columns = &mut Columns::of(row);
    let mut read = Conversation {
        id: columns.conversation_id()?,
        title: columns.take()?,
        archived: columns.take()?,
        draft: columns.take()?,
        server: decode_server(columns)?,
        last_message: decode_last(columns)?,
        activity_at: columns.moment_if()?,
        unread: columns.take()?,
        stored: columns.count()?,
        read_to: columns.place_if()?,
        sync: SyncPosition {
            newest: columns.take::<Option<String>>()?.map(SyncCursor::new),
            oldest: columns.take::<Option<String>>()?.map(SyncCursor::new),
            listed: columns.take::<Option<String>>()?.map(ChangeMark::new),
        },
        version: 0,
        completing: false,
    };
    read.server.mark = columns.take::<Option<String>>()?.map(ChangeMark::new);
    read.version = columns.count()?;
    read.completing = columns.take()?;
    Ok(read)
}

fn decode_server(columns: &mut Columns<'_, '_>) -> rusqlite::Result<ServerConversation> {
    Ok(ServerConversation {
        id: columns.conversation_id()?,
        persona: columns.take()?,
        status: columns
            .take::<Option<String>>()?
            .map(|word| Status::new(&word)),
        title: columns.take()?,
        context: decode_context(columns)?,
        created_at: columns.moment_if()?,
        updated_at: columns.moment_if()?,
        last_message_at: columns.moment_if()?,
        participants: decode_people(columns)?,
        attributes: columns.json()?,
        mark: None,
    })
}

fn decode_context(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Context>> {
    let kind: Option<String> = columns.take()?;
    let id = columns.take()?;
    Ok(kind.map(|kind| Context { kind, id }))
}

fn decode_people(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Vec<UserId>> {
    let names: Vec<String> = columns.json()?;
    Ok(names
        .iter()
        .filter_map(|name| UserId::parse(name))
        .collect())
}

fn decode_last(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<LastMessage>> {
    let Some(id) = columns.key_if()? else {
        columns.skip(4);
        return Ok(None);
    };
    Ok(Some(LastMessage {
        id,
        role: Role::parse(&columns.take::<String>()?),
        text: columns.take()?,
        at: columns.moment_if()?,
        key: columns.place()?,
    }))
}
