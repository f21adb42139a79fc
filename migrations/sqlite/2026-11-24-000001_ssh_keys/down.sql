-- Without their answers the other keys say nothing.
CREATE TABLE idempotency_keys_anew (
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    operation_id BLOB NOT NULL REFERENCES operations (id) DEFERRABLE INITIALLY DEFERRED,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, key)
) STRICT;
INSERT INTO idempotency_keys_anew (organization_id, key, hash, operation_id, created_at)
    SELECT organization_id, key, hash, operation_id, created_at FROM idempotency_keys
    WHERE operation_id IS NOT NULL;
DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_anew RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

DROP TABLE ssh_key_uses;
DROP TABLE ssh_key_placements;
DROP TABLE ssh_keys;
