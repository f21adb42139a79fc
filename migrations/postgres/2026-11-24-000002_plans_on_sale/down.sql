-- The plans on sale, and under which of them servers were sold, cannot come back.
DROP INDEX vps_instances_sale;
ALTER TABLE vps_instances DROP COLUMN sale;
ALTER TABLE vps_instances DROP COLUMN sale_plan_id;

DROP TABLE vps_plans;

CREATE TABLE vps_plans (
    id UUID PRIMARY KEY,
    provider_id UUID NOT NULL REFERENCES service_providers (id),
    remote_plan_id TEXT NOT NULL,
    name TEXT NOT NULL,
    price_hourly BIGINT,
    price_monthly BIGINT,
    price_currency TEXT NOT NULL,
    markup_kind TEXT NOT NULL CHECK (markup_kind IN ('none', 'percent', 'fixed')),
    markup_amount BIGINT NOT NULL,
    regions JSONB NOT NULL,
    images JSONB NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX vps_plans_remote ON vps_plans (provider_id, remote_plan_id);
