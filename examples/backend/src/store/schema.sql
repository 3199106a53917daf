CREATE TABLE IF NOT EXISTS consultations (
    id              TEXT PRIMARY KEY,
    user_id         TEXT NOT NULL,
    persona         TEXT NOT NULL,
    status          TEXT NOT NULL,
    goal_id         TEXT,
    context_type    TEXT,
    context_id      TEXT,
    quick_action    TEXT,
    started_at      INTEGER NOT NULL, -- all times: nanoseconds since the epoch
    updated_at      INTEGER NOT NULL,
    completed_at    INTEGER,
    last_message_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS consultations_by_user ON consultations (user_id, status, started_at);

-- The keys that clients gave to creations: one each, for as long as the consultation lives.
CREATE TABLE IF NOT EXISTS creations (
    user_id         TEXT NOT NULL,
    key             TEXT NOT NULL,
    consultation_id TEXT NOT NULL REFERENCES consultations (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS messages (
    consultation_id    TEXT NOT NULL REFERENCES consultations (id) ON DELETE CASCADE,
    seq                INTEGER NOT NULL, -- dense from 1 within a consultation
    id                 TEXT NOT NULL UNIQUE,
    role               TEXT NOT NULL,
    content            TEXT NOT NULL,
    client_id          TEXT,
    revision           INTEGER NOT NULL DEFAULT 1,
    deleted            INTEGER NOT NULL DEFAULT 0,
    tokens_used        INTEGER,
    processing_time_ms INTEGER,
    created_at         INTEGER NOT NULL,
    PRIMARY KEY (consultation_id, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS messages_by_client_id
    ON messages (consultation_id, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS read_markers (
    consultation_id TEXT NOT NULL REFERENCES consultations (id) ON DELETE CASCADE,
    user_id         TEXT NOT NULL,
    up_to_seq       INTEGER NOT NULL,
    PRIMARY KEY (consultation_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS tokens (
    token      TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL,
    kind       TEXT NOT NULL, -- access | refresh
    expires_at INTEGER,
    revoked    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
