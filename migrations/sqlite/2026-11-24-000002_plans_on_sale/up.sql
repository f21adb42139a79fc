-- No program has ever put a row into this table, so it is made anew instead of altered.
DROP TABLE vps_plans;

CREATE TABLE vps_plans (
    id BLOB NOT NULL PRIMARY KEY,
    provider_id BLOB NOT NULL REFERENCES service_providers (id),
    remote_plan_id TEXT NOT NULL,
    remote_label TEXT NOT NULL,
    name TEXT NOT NULL,
    vcpus INTEGER NOT NULL,
    memory_mib INTEGER NOT NULL,
    hardware BLOB NOT NULL,
    base_hourly INTEGER CHECK (base_hourly >= 0),
    base_monthly INTEGER CHECK (base_monthly >= 0),
    base_currency TEXT,
    base_monthly_is_cap INTEGER NOT NULL,
    base_source BLOB,
    base_as_of INTEGER,
    markup_kind TEXT NOT NULL CHECK (markup_kind IN ('none', 'percent', 'fixed')),
    markup_percent INTEGER CHECK (markup_percent >= 0),
    markup_hourly INTEGER CHECK (markup_hourly >= 0),
    markup_monthly INTEGER CHECK (markup_monthly >= 0),
    markup_currency TEXT,
    markup_is_own INTEGER NOT NULL,
    price_hourly INTEGER CHECK (price_hourly >= base_hourly),
    price_monthly INTEGER CHECK (price_monthly >= base_monthly),
    offerings BLOB NOT NULL,
    regions BLOB NOT NULL,
    images BLOB NOT NULL,
    is_active INTEGER NOT NULL,
    is_retired INTEGER NOT NULL,
    position INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((base_source IS NULL) = (base_as_of IS NULL)),
    CHECK ((base_source IS NULL) = (base_hourly IS NULL AND base_monthly IS NULL)),
    CHECK ((base_source IS NULL) = (base_currency IS NULL)),
    CHECK ((price_hourly IS NULL) = (base_hourly IS NULL)),
    CHECK ((price_monthly IS NULL) = (base_monthly IS NULL)),
    CHECK ((markup_percent IS NOT NULL) = (markup_kind = 'percent')),
    CHECK ((markup_hourly IS NOT NULL) = (markup_kind = 'fixed')),
    CHECK ((markup_monthly IS NOT NULL) = (markup_kind = 'fixed')),
    CHECK ((markup_currency IS NOT NULL) = (markup_kind = 'fixed'))
) STRICT;
CREATE UNIQUE INDEX vps_plans_remote ON vps_plans (provider_id, remote_plan_id);
CREATE INDEX vps_plans_order ON vps_plans (position, id);

-- No reference: the id stays as history when the plan is deleted after its last server.
ALTER TABLE vps_instances ADD COLUMN sale_plan_id BLOB;
ALTER TABLE vps_instances ADD COLUMN sale BLOB;
CREATE INDEX vps_instances_sale ON vps_instances (sale_plan_id) WHERE sale_plan_id IS NOT NULL;
