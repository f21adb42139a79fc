-- The plans on sale, and under which of them servers were sold, cannot come back.
DROP INDEX vps_instances_sale;
ALTER TABLE vps_instances DROP COLUMN sale;
ALTER TABLE vps_instances DROP COLUMN sale_plan_id;

DROP TABLE vps_plans;

CREATE TABLE vps_plans (
    id BLOB NOT NULL PRIMARY KEY,
    provider_id BLOB NOT NULL REFERENCES service_providers (id),
    remote_plan_id TEXT NOT NULL,
    name TEXT NOT NULL,
    price_hourly INTEGER,
    price_monthly INTEGER,
    price_currency TEXT NOT NULL,
    markup_kind TEXT NOT NULL CHECK (markup_kind IN ('none', 'percent', 'fixed')),
    markup_amount INTEGER NOT NULL,
    regions BLOB NOT NULL,
    images BLOB NOT NULL,
    is_active INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX vps_plans_remote ON vps_plans (provider_id, remote_plan_id);
