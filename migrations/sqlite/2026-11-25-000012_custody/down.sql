-- Imports and releases have no place in the tables of before: that they happened is still in the
-- audit log. What was imported stays, known by its tags alone.
DELETE FROM attempts WHERE operation_id IN (
    SELECT id FROM operations WHERE kind IN ('import', 'release')
);
DELETE FROM idempotency_keys WHERE operation_id IN (
    SELECT id FROM operations WHERE kind IN ('import', 'release')
);
DELETE FROM operations WHERE kind IN ('import', 'release');

DROP TABLE quarantine_deletes;
DROP TABLE imports;

-- As in `up.sql`.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, '''resize'', ''rebuild'', ''import'', ''release''', '''resize'', ''rebuild''')
WHERE type = 'table' AND name = 'operations';
PRAGMA writable_schema = RESET;
