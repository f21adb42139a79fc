CREATE TABLE installation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    deployment TEXT NOT NULL CHECK (length(deployment) = 8),
    key_check BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE organizations (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX organizations_name ON organizations (name);

CREATE TABLE users (
    id UUID PRIMARY KEY,
    email TEXT NOT NULL,
    is_operator BOOLEAN NOT NULL,
    password_hash TEXT,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE memberships (
    organization_id UUID NOT NULL REFERENCES organizations (id),
    user_id UUID NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    token_hash BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE service_providers (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    configuration JSONB NOT NULL,
    token BYTEA,
    token_key BIGINT,
    is_active BOOLEAN NOT NULL,
    position INTEGER NOT NULL,
    fingerprint TEXT,
    verification TEXT NOT NULL CHECK (verification IN ('unverified', 'verified', 'refused')),
    verification_reason TEXT,
    verification_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ,
    CHECK ((token IS NULL) = (token_key IS NULL)),
    CHECK ((token IS NULL) = (deleted_at IS NOT NULL))
);
CREATE UNIQUE INDEX service_providers_name ON service_providers (name) WHERE deleted_at IS NULL;
CREATE INDEX service_providers_key ON service_providers (token_key) WHERE token_key IS NOT NULL;

CREATE TABLE vps_plans (
    id UUID PRIMARY KEY,
    provider_id UUID NOT NULL REFERENCES service_providers (id),
    remote_plan_id TEXT NOT NULL,
    name TEXT NOT NULL,
    price_hourly BIGINT,
    price_monthly BIGINT,
    price_currency TEXT NOT NULL,
    markup_kind TEXT NOT NULL CHECK (markup_kind IN ('none', 'percent', 'fixed')),
    markup_amount BIGINT NOT NULL,
    regions JSONB NOT NULL,
    images JSONB NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX vps_plans_remote ON vps_plans (provider_id, remote_plan_id);

CREATE TABLE vps_instances (
    id UUID PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (id),
    provider_id UUID NOT NULL REFERENCES service_providers (id),
    provider_kind TEXT NOT NULL,
    remote_id TEXT,
    remote_name TEXT NOT NULL,
    label TEXT NOT NULL,
    label_folded TEXT NOT NULL,
    notes TEXT NOT NULL,
    tags JSONB NOT NULL,
    lifecycle TEXT NOT NULL CHECK (lifecycle IN (
        'pending', 'resolving', 'live', 'deleting', 'deleted', 'failed', 'missing', 'attention'
    )),
    power TEXT NOT NULL,
    power_raw TEXT,
    plan_id TEXT NOT NULL,
    region_id TEXT NOT NULL,
    image_id TEXT NOT NULL,
    vcpus BIGINT NOT NULL,
    memory_mib BIGINT NOT NULL,
    disk_mib BIGINT,
    addresses JSONB NOT NULL,
    price_hourly BIGINT,
    price_monthly BIGINT,
    price_currency TEXT,
    price_monthly_is_cap BOOLEAN NOT NULL,
    price_source JSONB,
    price_as_of TIMESTAMPTZ,
    problem TEXT,
    observed_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CHECK ((price_source IS NULL) = (price_as_of IS NULL)),
    CHECK (price_currency IS NOT NULL OR (price_hourly IS NULL AND price_monthly IS NULL))
);
CREATE UNIQUE INDEX vps_instances_remote ON vps_instances (provider_id, remote_id)
    WHERE remote_id IS NOT NULL;
CREATE INDEX vps_instances_page ON vps_instances (organization_id, id)
    WHERE lifecycle <> 'deleted';
CREATE INDEX vps_instances_live ON vps_instances (provider_id) WHERE lifecycle = 'live';

CREATE TABLE operations (
    id UUID PRIMARY KEY,
    organization_id UUID NOT NULL REFERENCES organizations (id),
    provider_id UUID NOT NULL REFERENCES service_providers (id),
    instance_id UUID NOT NULL REFERENCES vps_instances (id),
    kind TEXT NOT NULL CHECK (kind IN (
        'create', 'boot', 'shutdown', 'reboot', 'power_off', 'delete'
    )),
    state TEXT NOT NULL CHECK (state IN (
        'ready', 'leased', 'sent', 'unknown', 'resolving', 'waiting',
        'succeeded', 'failed', 'attention'
    )),
    attempts INTEGER NOT NULL,
    sent_at TIMESTAMPTZ,
    empty_looks INTEGER NOT NULL,
    remote JSONB,
    progress INTEGER,
    error JSONB,
    request JSONB NOT NULL,
    secret BYTEA,
    secret_key BIGINT,
    due_at TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ,
    worker UUID,
    epoch BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    CHECK ((lease_until IS NULL) = (worker IS NULL)),
    CHECK ((secret IS NULL) = (secret_key IS NULL)),
    CHECK ((finished_at IS NOT NULL) = (state IN ('succeeded', 'failed'))),
    CHECK (secret IS NULL OR state NOT IN ('succeeded', 'failed'))
);
CREATE UNIQUE INDEX operations_one_active ON operations (instance_id)
    WHERE kind <> 'delete' AND state NOT IN ('succeeded', 'failed', 'attention');
CREATE UNIQUE INDEX operations_one_delete ON operations (instance_id)
    WHERE kind = 'delete' AND state NOT IN ('succeeded', 'failed', 'attention');
CREATE INDEX operations_due ON operations (due_at) WHERE state NOT IN ('succeeded', 'failed');
CREATE INDEX operations_instance ON operations (instance_id, id);
CREATE INDEX operations_key ON operations (secret_key) WHERE secret_key IS NOT NULL;

CREATE TABLE attempts (
    operation_id UUID NOT NULL REFERENCES operations (id),
    number INTEGER NOT NULL,
    sent_at TIMESTAMPTZ NOT NULL,
    digest BYTEA NOT NULL,
    outcome TEXT CHECK (outcome IN ('committed', 'not_executed', 'rejected', 'unknown')),
    ended_at TIMESTAMPTZ,
    PRIMARY KEY (operation_id, number)
);

CREATE TABLE dooms (
    provider_id UUID NOT NULL REFERENCES service_providers (id),
    remote_id TEXT NOT NULL,
    instance_id UUID NOT NULL REFERENCES vps_instances (id),
    reason TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    done_at TIMESTAMPTZ,
    PRIMARY KEY (provider_id, remote_id)
);
CREATE INDEX dooms_open ON dooms (created_at) WHERE done_at IS NULL;

-- The reference is checked at the commit: the key goes in before what it names, so that of two
-- requests with one key the second waits instead of doing the work twice.
CREATE TABLE idempotency_keys (
    organization_id UUID NOT NULL REFERENCES organizations (id),
    key TEXT NOT NULL,
    hash BYTEA NOT NULL,
    operation_id UUID NOT NULL REFERENCES operations (id) DEFERRABLE INITIALLY DEFERRED,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE audit_log (
    id UUID PRIMARY KEY,
    organization_id UUID REFERENCES organizations (id),
    user_id UUID REFERENCES users (id),
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    request_id TEXT,
    details JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX audit_log_organization ON audit_log (organization_id, id);

CREATE FUNCTION check_instance_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (
        NEW.lifecycle = 'attention'
        OR (OLD.lifecycle = 'pending' AND NEW.lifecycle IN ('resolving', 'live', 'failed'))
        OR (OLD.lifecycle = 'resolving' AND NEW.lifecycle IN ('pending', 'live', 'failed'))
        OR (OLD.lifecycle = 'live' AND NEW.lifecycle IN ('failed', 'deleting', 'missing'))
        OR (OLD.lifecycle = 'deleting' AND NEW.lifecycle = 'deleted')
        OR (OLD.lifecycle = 'missing' AND NEW.lifecycle IN ('live', 'deleted'))
        OR (OLD.lifecycle = 'attention' AND NEW.lifecycle IN ('live', 'deleting', 'failed'))
        OR (OLD.lifecycle = 'failed' AND NEW.lifecycle IN ('live', 'deleted'))
    ) THEN
        RAISE EXCEPTION 'illegal edge of a lifecycle: % to %', OLD.lifecycle, NEW.lifecycle;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER vps_instances_edge BEFORE UPDATE OF lifecycle ON vps_instances
    FOR EACH ROW WHEN (OLD.lifecycle <> NEW.lifecycle) EXECUTE FUNCTION check_instance_edge();

CREATE FUNCTION check_operation_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (
        (OLD.state = 'ready' AND NEW.state = 'leased')
        OR (OLD.state = 'leased' AND NEW.state IN (
            'ready', 'sent', 'resolving', 'waiting', 'succeeded', 'failed', 'attention'
        ))
        OR (OLD.state = 'sent' AND NEW.state IN (
            'ready', 'unknown', 'resolving', 'waiting', 'succeeded', 'failed', 'attention'
        ))
        OR (OLD.state = 'unknown' AND NEW.state IN (
            'ready', 'resolving', 'waiting', 'succeeded', 'failed', 'attention'
        ))
        OR (OLD.state = 'resolving' AND NEW.state IN (
            'ready', 'waiting', 'succeeded', 'failed', 'attention'
        ))
        OR (OLD.state = 'waiting' AND NEW.state IN (
            'ready', 'resolving', 'succeeded', 'failed', 'attention'
        ))
        OR (OLD.state = 'attention' AND NEW.state IN (
            'ready', 'resolving', 'waiting', 'succeeded', 'failed'
        ))
    ) THEN
        RAISE EXCEPTION 'illegal edge of an operation: % to %', OLD.state, NEW.state;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER operations_edge BEFORE UPDATE OF state ON operations
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_operation_edge();

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log only grows';
END $$;
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
