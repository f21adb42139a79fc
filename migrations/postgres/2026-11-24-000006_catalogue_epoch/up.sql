-- Grows when an account's catalogues are to be forgotten: every process sees it in the row.
ALTER TABLE service_providers ADD COLUMN catalogue_epoch BIGINT NOT NULL DEFAULT 0;
