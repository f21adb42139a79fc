-- Where the provider's own log of the server ended when the request was sent.
ALTER TABLE operations ADD COLUMN log_place TEXT;

-- SQLite cannot alter a check. Nothing that is stored changes, so that the text of the table is
-- changed in place, as its documentation has it for this case. References, indexes and triggers
-- stay as they are. `RESET` makes this connection read the tables anew, and the column above
-- makes all others.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, '''power_off'', ''delete''', '''power_off'', ''delete'', ''resize'', ''rebuild''')
WHERE type = 'table' AND name = 'operations';
PRAGMA writable_schema = RESET;
