ALTER TABLE operations DROP COLUMN failing_since;
ALTER TABLE operations DROP COLUMN orphaned_attempts;
