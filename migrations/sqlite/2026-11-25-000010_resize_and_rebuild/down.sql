-- Resizes and rebuilds have no place in the tables of before: that they happened is still in the
-- audit log.
DELETE FROM attempts WHERE operation_id IN (
    SELECT id FROM operations WHERE kind IN ('resize', 'rebuild')
);
DELETE FROM idempotency_keys WHERE operation_id IN (
    SELECT id FROM operations WHERE kind IN ('resize', 'rebuild')
);
DELETE FROM operations WHERE kind IN ('resize', 'rebuild');

ALTER TABLE operations DROP COLUMN log_place;

-- As in `up.sql`.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, '''power_off'', ''delete'', ''resize'', ''rebuild''', '''power_off'', ''delete''')
WHERE type = 'table' AND name = 'operations';
PRAGMA writable_schema = RESET;
