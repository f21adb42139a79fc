ALTER TABLE service_providers DROP COLUMN catalogue_epoch;
