-- The outbox holds every action of the user's, not messages alone. `last_known` was never set.
-- Numbers of kinds and tracks are their places in the domain's `ALL` lists.

CREATE TABLE outbox_of_actions (
    id              BLOB PRIMARY KEY CHECK (length(id) = 16),
    conversation    INTEGER NOT NULL REFERENCES conversation (pk) ON DELETE CASCADE,
    kind            INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 7),
    track           INTEGER NOT NULL CHECK (track BETWEEN 0 AND 4),
    -- The message that it changes or asks about.
    target          BLOB CHECK (length(target) = 16),
    body            TEXT NOT NULL,
    -- The server's text under a change.
    beneath         TEXT,
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
    wire_id         TEXT,
    parked          INTEGER NOT NULL CHECK (parked IN (0, 1))
) STRICT, WITHOUT ROWID;

INSERT INTO outbox_of_actions (
    id, conversation, kind, track, body, durable, state, accept_order, attempt, failures,
    accepted_at, expires_at, next_attempt_at, reason_code, reason_retry, reason_after_ms,
    reason_text, wire_id, parked)
SELECT message, conversation, 0, 0, body, durable, state, accept_order, attempt, failures,
    accepted_at, expires_at, next_attempt_at, reason_code, reason_retry, reason_after_ms,
    reason_text, wire_id, parked
FROM outbox;

DROP TABLE outbox;
ALTER TABLE outbox_of_actions RENAME TO outbox;

-- What blocks its track: queued, sending or uncertain, and not parked; what is queued comes last.
CREATE INDEX outbox_waiting ON outbox (conversation, track, state = 0, accept_order)
    WHERE parked = 0 AND state IN (0, 1, 2);
-- Few of the few: messages, which are most, stand in neither.
CREATE INDEX outbox_changes ON outbox (target) WHERE kind IN (3, 4);
CREATE INDEX outbox_creations ON outbox (accept_order) WHERE kind = 1;

ALTER TABLE journal ADD COLUMN kind INTEGER NOT NULL DEFAULT 0 CHECK (kind BETWEEN 0 AND 7);

-- A change of the user's that the server has not confirmed: 0 a new text, 1 deleted.
ALTER TABLE message ADD COLUMN overlay INTEGER CHECK (overlay IN (0, 1));

-- Ended by the user, not yet by the server.
ALTER TABLE conversation ADD COLUMN completing INTEGER NOT NULL DEFAULT 0
    CHECK (completing IN (0, 1));
