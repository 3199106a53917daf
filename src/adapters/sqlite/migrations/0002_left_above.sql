-- The newest place known when a message first left: its row at the server stands above it.
ALTER TABLE message ADD COLUMN left_above INTEGER;
