-- Nullable: operations that were accepted before this, or without a request, have none.
ALTER TABLE operations ADD COLUMN request_id TEXT;

-- How many servers wait for a person is asked at every scrape of the metrics.
CREATE INDEX vps_instances_attention ON vps_instances (id) WHERE lifecycle = 'attention';
