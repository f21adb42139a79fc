-- Servers that somebody else made and that were taken into our books: by what each of them is
-- known to be the one that was looked at then.
CREATE TABLE imports (
    instance_id BLOB NOT NULL PRIMARY KEY REFERENCES vps_instances (id),
    provider_id BLOB NOT NULL REFERENCES service_providers (id),
    remote_id TEXT NOT NULL,
    remote_created_at INTEGER,
    fingerprint TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Quarantined servers that an operator has decided to delete, as they were then. `sent_at` is
-- when the request that deletes one was put on record, `refusal` why it is not deleted after all.
CREATE TABLE quarantine_deletes (
    quarantine_id BLOB NOT NULL PRIMARY KEY REFERENCES quarantine (id),
    name TEXT NOT NULL,
    remote_created_at INTEGER,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    refusal TEXT
) STRICT;

-- SQLite cannot alter a check. Nothing that is stored changes, so that the text of the table is
-- changed in place, as its documentation has it for this case. References, indexes and triggers
-- stay as they are. `RESET` makes this connection read the tables anew, and the tables above make
-- all others.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, '''resize'', ''rebuild''', '''resize'', ''rebuild'', ''import'', ''release''')
WHERE type = 'table' AND name = 'operations';
PRAGMA writable_schema = RESET;
