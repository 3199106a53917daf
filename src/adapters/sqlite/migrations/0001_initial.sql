-- Version 1. Numbers of states are their places in the domain's `ALL` lists; moments are
-- milliseconds since 1970; unsigned 64-bit counters keep their bits in the signed integer.

CREATE TABLE conversation (
    pk              INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    -- Given on this device; no merge touches them.
    title           TEXT,
    archived        INTEGER NOT NULL CHECK (archived IN (0, 1)),
    draft           TEXT,
    -- The server's facts.
    server_id       TEXT NOT NULL,
    persona         TEXT,
    status          TEXT,
    server_title    TEXT,
    context_type    TEXT,
    context_id      TEXT,
    created_at      INTEGER,
    updated_at      INTEGER,
    last_message_at INTEGER,
    participants    TEXT NOT NULL,
    attributes      TEXT NOT NULL,
    -- The newest visible message, kept here so that the list reads no message.
    last_id         BLOB CHECK (length(last_id) = 16),
    last_role       TEXT,
    last_body       TEXT,
    last_at         INTEGER,
    last_key        INTEGER,
    -- Counters and positions.
    hidden          INTEGER NOT NULL CHECK (hidden IN (0, 1)),
    activity_at     INTEGER,
    unread          INTEGER NOT NULL CHECK (unread >= 0),
    stored          INTEGER NOT NULL,
    read_to         INTEGER,
    sync_newest     TEXT,
    sync_oldest     TEXT,
    version         INTEGER NOT NULL
) STRICT;

CREATE INDEX conversation_listed ON conversation (hidden, activity_at DESC, id);
CREATE INDEX conversation_by_context ON conversation (context_type, context_id)
    WHERE context_type IS NOT NULL;

CREATE TABLE message (
    pk           INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    conversation INTEGER NOT NULL REFERENCES conversation (pk) ON DELETE CASCADE,
    server_id    TEXT,
    role         TEXT NOT NULL,
    sender       TEXT,
    own          INTEGER NOT NULL CHECK (own IN (0, 1)),
    body         TEXT NOT NULL,
    sort_key     INTEGER NOT NULL,
    state        INTEGER NOT NULL CHECK (state BETWEEN 0 AND 7),
    attempts     INTEGER NOT NULL CHECK (attempts >= 0),
    created_at   INTEGER,
    answers      BLOB CHECK (length(answers) = 16),
    completeness INTEGER NOT NULL CHECK (completeness BETWEEN 0 AND 4),
    deleted      INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    unread       INTEGER NOT NULL CHECK (unread IN (0, 1)),
    revision     INTEGER NOT NULL,
    version      INTEGER NOT NULL
) STRICT;

CREATE INDEX message_placed ON message (conversation, sort_key);
CREATE INDEX message_visible ON message (conversation, sort_key) WHERE deleted = 0;
CREATE UNIQUE INDEX message_known ON message (conversation, server_id)
    WHERE server_id IS NOT NULL;
-- 2305843009213693952 is where the pending half of the order begins. Few rows stand there, and
-- those never attempted are left out: a long queue costs nothing.
CREATE INDEX message_unplaced ON message (conversation, sort_key)
    WHERE sort_key >= 2305843009213693952 AND (own = 0 OR attempts > 0);
CREATE INDEX message_unread ON message (conversation, sort_key) WHERE unread = 1;

-- Few rows, written often: one tree holds rows and keys, one index finds what to send next, and
-- any other question reads them all.
CREATE TABLE outbox (
    message         BLOB PRIMARY KEY CHECK (length(message) = 16),
    conversation    INTEGER NOT NULL REFERENCES conversation (pk) ON DELETE CASCADE,
    body            TEXT NOT NULL,
    durable         INTEGER NOT NULL CHECK (durable IN (0, 1)),
    state           INTEGER NOT NULL CHECK (state BETWEEN 0 AND 7),
    accept_order    INTEGER NOT NULL,
    attempt         INTEGER NOT NULL CHECK (attempt >= 0),
    failures        INTEGER NOT NULL CHECK (failures >= 0),
    accepted_at     INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    next_attempt_at INTEGER,
    reason_code     TEXT,
    reason_retry    INTEGER CHECK (reason_retry IN (0, 1)),
    reason_after_ms INTEGER,
    reason_text     TEXT,
    last_known      TEXT,
    wire_id         TEXT,
    parked          INTEGER NOT NULL CHECK (parked IN (0, 1))
) STRICT, WITHOUT ROWID;

-- What blocks its conversation: queued, sending or uncertain, and not parked.
CREATE INDEX outbox_waiting ON outbox (conversation, accept_order)
    WHERE parked = 0 AND state IN (0, 1, 2);

CREATE TABLE journal (
    sequence        INTEGER PRIMARY KEY,
    message         BLOB NOT NULL CHECK (length(message) = 16),
    conversation    INTEGER NOT NULL REFERENCES conversation (pk) ON DELETE CASCADE,
    at              INTEGER NOT NULL,
    state           INTEGER NOT NULL CHECK (state BETWEEN 0 AND 7),
    attempt         INTEGER NOT NULL CHECK (attempt >= 0),
    next_attempt_at INTEGER,
    server_id       TEXT,
    reason_code     TEXT,
    reason_retry    INTEGER CHECK (reason_retry IN (0, 1)),
    reason_after_ms INTEGER,
    reason_text     TEXT
) STRICT;

-- The conversation first: so the same index serves its removal.
CREATE INDEX journal_of_message ON journal (conversation, message);

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The last numbers given. They outlive their rows: a reader follows the journal's sequence, so a
-- removed number must not come again.
CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counter (name, value) VALUES ('order', 0), ('journal', 0);
