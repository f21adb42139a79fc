-- One row for each account: who compares it with our books now, when that is next due, and how
-- the last comparison ended. `epoch` counts the claims; a sweeper writes only under its own.
CREATE TABLE sweeps (
    provider_id UUID PRIMARY KEY REFERENCES service_providers (id),
    worker UUID,
    lease_until TIMESTAMPTZ,
    epoch BIGINT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ,
    completed_at TIMESTAMPTZ,
    outcome TEXT CHECK (outcome IN ('completed', 'capped', 'frozen', 'failed')),
    reason TEXT,
    seen BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    held_back BIGINT NOT NULL,
    CHECK ((lease_until IS NULL) = (worker IS NULL)),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX sweeps_due ON sweeps (due_at);

-- When a doomed server was seen: nothing is deleted before the second time. `sent_at` is when
-- the request that deletes it was put on record.
CREATE TABLE doom_sightings (
    provider_id UUID NOT NULL,
    remote_id TEXT NOT NULL,
    first_at TIMESTAMPTZ NOT NULL,
    second_at TIMESTAMPTZ,
    sent_at TIMESTAMPTZ,
    PRIMARY KEY (provider_id, remote_id),
    FOREIGN KEY (provider_id, remote_id)
        REFERENCES dooms (provider_id, remote_id) ON DELETE CASCADE,
    CHECK (second_at IS NULL OR second_at >= first_at),
    CHECK (sent_at IS NULL OR second_at IS NOT NULL)
);
CREATE INDEX doom_sightings_sent ON doom_sightings (provider_id, sent_at)
    WHERE sent_at IS NOT NULL;
INSERT INTO doom_sightings (provider_id, remote_id, first_at)
    SELECT provider_id, remote_id, created_at FROM dooms WHERE done_at IS NULL;

-- Servers of ours that the complete list of their account did not show.
CREATE TABLE absences (
    instance_id UUID PRIMARY KEY REFERENCES vps_instances (id),
    provider_id UUID NOT NULL REFERENCES service_providers (id),
    first_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX absences_provider ON absences (provider_id);

-- Servers that carry our mark and that nobody here can vouch for. They are shown, never deleted
-- without somebody's word. `instance_id` is what the mark names; there need be no such server.
CREATE TABLE quarantine (
    id UUID PRIMARY KEY,
    provider_id UUID NOT NULL REFERENCES service_providers (id),
    remote_id TEXT NOT NULL,
    name TEXT NOT NULL,
    tags JSONB NOT NULL,
    remote_created_at TIMESTAMPTZ,
    instance_id UUID,
    reason TEXT NOT NULL CHECK (reason IN (
        'unknown', 'unnamed', 'ambiguous', 'other_account', 'other_deployment', 'unasked', 'undated',
        'older', 'later', 'missing', 'dismissed'
    )),
    state TEXT NOT NULL CHECK (state IN (
        'open', 'imported', 'released', 'deleted', 'gone', 'cleared'
    )),
    first_seen_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    CHECK ((ended_at IS NULL) = (state = 'open'))
);
CREATE UNIQUE INDEX quarantine_remote ON quarantine (provider_id, remote_id);
CREATE INDEX quarantine_open ON quarantine (id) WHERE state = 'open';

CREATE INDEX vps_instances_missing ON vps_instances (id) WHERE lifecycle = 'missing';
CREATE INDEX vps_instances_provider ON vps_instances (provider_id)
    WHERE lifecycle NOT IN ('deleted', 'failed');
