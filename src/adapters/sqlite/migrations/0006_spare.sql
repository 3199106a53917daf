-- Counts the commits that changed what is kept twice.
INSERT INTO counter (name, value) VALUES ('spare', 0);

-- What is kept twice of the conversations: found without reading them all.
CREATE INDEX conversation_drafted ON conversation (pk) WHERE draft IS NOT NULL;
