CREATE TABLE ssh_keys (
    id UUID PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    public_key TEXT NOT NULL,
    comment TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX ssh_keys_name ON ssh_keys (organization_id, name);
CREATE UNIQUE INDEX ssh_keys_identity ON ssh_keys (organization_id, fingerprint);
CREATE INDEX ssh_keys_page ON ssh_keys (organization_id, id);
CREATE INDEX ssh_keys_fingerprint ON ssh_keys (fingerprint);

-- What a provider account keeps, or may keep, for us. It names the key and not the organization:
-- an account takes a key once, and two organizations may have the same one.
CREATE TABLE ssh_key_placements (
    provider_id UUID NOT NULL REFERENCES service_providers (id),
    fingerprint TEXT NOT NULL,
    public_key TEXT NOT NULL,
    remote_name TEXT NOT NULL,
    remote_id TEXT,
    epoch BIGINT NOT NULL,
    asked_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    failures INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (provider_id, fingerprint)
);
CREATE INDEX ssh_key_placements_due ON ssh_key_placements (provider_id, due_at);

-- While an operation is open, what it needs stays where it is.
CREATE TABLE ssh_key_uses (
    operation_id UUID NOT NULL REFERENCES operations (id),
    provider_id UUID NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (operation_id, provider_id, fingerprint),
    FOREIGN KEY (provider_id, fingerprint)
        REFERENCES ssh_key_placements (provider_id, fingerprint) ON DELETE CASCADE
);
CREATE INDEX ssh_key_uses_placement ON ssh_key_uses (provider_id, fingerprint);

-- A request that makes no operation keeps its answer instead.
ALTER TABLE idempotency_keys ALTER COLUMN operation_id DROP NOT NULL;
ALTER TABLE idempotency_keys ADD COLUMN answer JSONB;
ALTER TABLE idempotency_keys ADD CHECK ((operation_id IS NULL) <> (answer IS NULL));
