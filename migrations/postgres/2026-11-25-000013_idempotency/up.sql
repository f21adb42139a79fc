-- Operators act for no organization; a key of theirs is the operator's own.
CREATE TABLE operator_idempotency_keys (
    user_id UUID NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    hash BYTEA NOT NULL,
    answer JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX operator_idempotency_keys_age ON operator_idempotency_keys (created_at);
