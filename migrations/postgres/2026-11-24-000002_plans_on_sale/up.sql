-- No program has ever put a row into this table, so it is made anew instead of altered.
DROP TABLE vps_plans;

CREATE TABLE vps_plans (
    id UUID PRIMARY KEY,
    provider_id UUID NOT NULL REFERENCES service_providers (id),
    remote_plan_id TEXT NOT NULL,
    remote_label TEXT NOT NULL,
    name TEXT NOT NULL,
    vcpus BIGINT NOT NULL,
    memory_mib BIGINT NOT NULL,
    hardware JSONB NOT NULL,
    base_hourly BIGINT CHECK (base_hourly >= 0),
    base_monthly BIGINT CHECK (base_monthly >= 0),
    base_currency TEXT,
    base_monthly_is_cap BOOLEAN NOT NULL,
    base_source JSONB,
    base_as_of TIMESTAMPTZ,
    markup_kind TEXT NOT NULL CHECK (markup_kind IN ('none', 'percent', 'fixed')),
    markup_percent BIGINT CHECK (markup_percent >= 0),
    markup_hourly BIGINT CHECK (markup_hourly >= 0),
    markup_monthly BIGINT CHECK (markup_monthly >= 0),
    markup_currency TEXT,
    markup_is_own BOOLEAN NOT NULL,
    price_hourly BIGINT CHECK (price_hourly >= base_hourly),
    price_monthly BIGINT CHECK (price_monthly >= base_monthly),
    offerings JSONB NOT NULL,
    regions JSONB NOT NULL,
    images JSONB NOT NULL,
    is_active BOOLEAN NOT NULL,
    is_retired BOOLEAN NOT NULL,
    position BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CHECK ((base_source IS NULL) = (base_as_of IS NULL)),
    CHECK ((base_source IS NULL) = (base_hourly IS NULL AND base_monthly IS NULL)),
    CHECK ((base_source IS NULL) = (base_currency IS NULL)),
    CHECK ((price_hourly IS NULL) = (base_hourly IS NULL)),
    CHECK ((price_monthly IS NULL) = (base_monthly IS NULL)),
    CHECK ((markup_percent IS NOT NULL) = (markup_kind = 'percent')),
    CHECK ((markup_hourly IS NOT NULL) = (markup_kind = 'fixed')),
    CHECK ((markup_monthly IS NOT NULL) = (markup_kind = 'fixed')),
    CHECK ((markup_currency IS NOT NULL) = (markup_kind = 'fixed'))
);
CREATE UNIQUE INDEX vps_plans_remote ON vps_plans (provider_id, remote_plan_id);
CREATE INDEX vps_plans_order ON vps_plans (position, id);

-- No reference: the id stays as history when the plan is deleted after its last server.
ALTER TABLE vps_instances ADD COLUMN sale_plan_id UUID;
ALTER TABLE vps_instances ADD COLUMN sale JSONB;
CREATE INDEX vps_instances_sale ON vps_instances (sale_plan_id) WHERE sale_plan_id IS NOT NULL;
