-- Full text. The index holds folded words and no text: what a word is is decided by
-- the domain (`domain::search::words`), and `ascii` takes the words as they come. A row's number
-- is its search key, so the newest come first without a sort. `conversation` holds one word, the
-- conversation's number, so that a search in one conversation intersects two lists.

CREATE VIRTUAL TABLE search USING fts5(
    body, conversation,
    content = '', columnsize = 0, tokenize = 'ascii', prefix = '2 3'
);
-- A removed word leaves the index itself, not only the answers.
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);

-- Rows that the indexer has passed and that are not in the index: those that still change are
-- read by each search; those that are ready are taken in by the writer's next round.
CREATE TABLE search_late (
    message INTEGER PRIMARY KEY REFERENCES message (pk) ON DELETE CASCADE,
    ready   INTEGER NOT NULL CHECK (ready IN (0, 1))
) STRICT;
CREATE INDEX search_ready ON search_late (message) WHERE ready = 1;

-- Passed are the rows from `search_low` to `search_high`: new ones are above, and what was stored
-- before there was an index is taken in downwards, newest first.
INSERT INTO counter (name, value)
    SELECT 'search_high', coalesce(max(pk), 0) FROM message;
INSERT INTO counter (name, value)
    SELECT 'search_low', coalesce(max(pk), 0) + 1 FROM message;
INSERT INTO counter (name, value) VALUES ('search_words', 1);
