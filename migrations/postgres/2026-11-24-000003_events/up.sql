-- What members are told of changes to servers and operations, written in the transaction of the
-- change. `ordinal` is drawn while the transaction runs, so that one with a smaller number may
-- commit after one with a larger number was read; `position`, by which events are read, is given
-- once the event is committed, by `publish_events`.
--
-- `kind` has no list of words here: a later version adds some, beside servers of this one.
CREATE TABLE events (
    id UUID PRIMARY KEY,
    ordinal BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
    position BIGINT,
    organization_id UUID NOT NULL REFERENCES organizations (id),
    kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    instance_id UUID NOT NULL,
    payload JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX events_position ON events (position);
CREATE INDEX events_organization ON events (organization_id, position);
CREATE INDEX events_draft ON events (ordinal) WHERE position IS NULL;

CREATE SEQUENCE event_positions;

-- Gives committed events their positions, and wakes whoever listens. A function, because the
-- lock must be held before the statement begins whose snapshot decides what is committed; and
-- because a client that dies in the middle would hold the lock until it is missed.
CREATE FUNCTION publish_events(most INTEGER) RETURNS INTEGER LANGUAGE plpgsql AS $$
DECLARE
    published INTEGER;
BEGIN
    PERFORM pg_advisory_xact_lock(7236279518237);
    WITH drafts AS MATERIALIZED (
        SELECT id, ordinal FROM events WHERE position IS NULL ORDER BY ordinal LIMIT most
    ), numbered AS MATERIALIZED (
        SELECT id, nextval('event_positions') AS position
        FROM (SELECT id FROM drafts ORDER BY ordinal) AS sorted
    )
    UPDATE events SET position = numbered.position FROM numbered WHERE events.id = numbered.id;
    GET DIAGNOSTICS published = ROW_COUNT;
    IF published > 0 THEN
        PERFORM pg_notify('roadstead_events', '');
    END IF;
    RETURN published;
END $$;
