-- Operators act for no organization; a key of theirs is the operator's own.
CREATE TABLE operator_idempotency_keys (
    user_id BLOB NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    answer BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT;
CREATE INDEX operator_idempotency_keys_age ON operator_idempotency_keys (created_at);
