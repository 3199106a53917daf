-- A hole in the history is a fact of the row below it: where a backward read goes on to fill it,
-- or the empty text where the next forward read does.
ALTER TABLE message ADD COLUMN gap TEXT;
CREATE INDEX message_gap ON message (conversation, sort_key) WHERE gap IS NOT NULL;

-- What the list says of the conversation, and what it said before the last full read of its news:
-- equal marks cost no request.
ALTER TABLE conversation ADD COLUMN mark TEXT;
ALTER TABLE conversation ADD COLUMN sync_listed TEXT;
