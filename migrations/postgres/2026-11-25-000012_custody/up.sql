ALTER TABLE operations
    DROP CONSTRAINT operations_kind_check,
    ADD CONSTRAINT operations_kind_check CHECK (kind IN (
        'create', 'boot', 'shutdown', 'reboot', 'power_off', 'delete', 'resize', 'rebuild',
        'import', 'release'
    ));

-- Servers that somebody else made and that were taken into our books: by what each of them is
-- known to be the one that was looked at then.
CREATE TABLE imports (
    instance_id UUID PRIMARY KEY REFERENCES vps_instances (id),
    provider_id UUID NOT NULL REFERENCES service_providers (id),
    remote_id TEXT NOT NULL,
    remote_created_at TIMESTAMPTZ,
    fingerprint TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- Quarantined servers that an operator has decided to delete, as they were then. `sent_at` is
-- when the request that deletes one was put on record, `refusal` why it is not deleted after all.
CREATE TABLE quarantine_deletes (
    quarantine_id UUID PRIMARY KEY REFERENCES quarantine (id),
    name TEXT NOT NULL,
    remote_created_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ,
    refusal TEXT
);
