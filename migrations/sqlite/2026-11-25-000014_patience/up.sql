-- How patient to be with an operation: attempts of which no worker ever said what became of
-- them are no fault of the provider, and it is given up by how long it has failed in a row.
ALTER TABLE operations ADD COLUMN orphaned_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE operations ADD COLUMN failing_since INTEGER;
