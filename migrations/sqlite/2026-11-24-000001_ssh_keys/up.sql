CREATE TABLE ssh_keys (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    public_key TEXT NOT NULL,
    comment TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX ssh_keys_name ON ssh_keys (organization_id, name);
CREATE UNIQUE INDEX ssh_keys_identity ON ssh_keys (organization_id, fingerprint);
CREATE INDEX ssh_keys_page ON ssh_keys (organization_id, id);
CREATE INDEX ssh_keys_fingerprint ON ssh_keys (fingerprint);

-- What a provider account keeps, or may keep, for us. It names the key and not the organization:
-- an account takes a key once, and two organizations may have the same one.
CREATE TABLE ssh_key_placements (
    provider_id BLOB NOT NULL REFERENCES service_providers (id),
    fingerprint TEXT NOT NULL,
    public_key TEXT NOT NULL,
    remote_name TEXT NOT NULL,
    remote_id TEXT,
    epoch INTEGER NOT NULL,
    asked_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (provider_id, fingerprint)
) STRICT;
CREATE INDEX ssh_key_placements_due ON ssh_key_placements (provider_id, due_at);

-- While an operation is open, what it needs stays where it is.
CREATE TABLE ssh_key_uses (
    operation_id BLOB NOT NULL REFERENCES operations (id),
    provider_id BLOB NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (operation_id, provider_id, fingerprint),
    FOREIGN KEY (provider_id, fingerprint)
        REFERENCES ssh_key_placements (provider_id, fingerprint) ON DELETE CASCADE
) STRICT;
CREATE INDEX ssh_key_uses_placement ON ssh_key_uses (provider_id, fingerprint);

-- A request that makes no operation keeps its answer instead. SQLite cannot take a NOT NULL
-- away, so the table is made anew.
CREATE TABLE idempotency_keys_anew (
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    key TEXT NOT NULL,
    hash BLOB NOT NULL,
    operation_id BLOB REFERENCES operations (id) DEFERRABLE INITIALLY DEFERRED,
    created_at INTEGER NOT NULL,
    answer BLOB,
    PRIMARY KEY (organization_id, key),
    CHECK ((operation_id IS NULL) <> (answer IS NULL))
) STRICT;
INSERT INTO idempotency_keys_anew (organization_id, key, hash, operation_id, created_at)
    SELECT organization_id, key, hash, operation_id, created_at FROM idempotency_keys;
DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_anew RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
