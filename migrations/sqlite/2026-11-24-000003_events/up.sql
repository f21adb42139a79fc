-- What members are told of changes to servers and operations, written in the transaction of the
-- change. One writer at a time commits in the order of `ordinal`, so that `position`, by which
-- events are read, is the same; `AUTOINCREMENT` never gives a number twice.
--
-- `kind` has no list of words here: a later version adds some.
CREATE TABLE events (
    ordinal INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    position INTEGER,
    organization_id BLOB NOT NULL REFERENCES organizations (id),
    kind TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    instance_id BLOB NOT NULL,
    payload BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_position ON events (position);
CREATE INDEX events_organization ON events (organization_id, position);
CREATE INDEX events_draft ON events (ordinal) WHERE position IS NULL;
