//! Many servers at once, straight into the tables: no API makes a million of them in a minute.

use anyhow::{Context, Result};
use diesel::Connection;
use diesel::connection::SimpleConnection;
use roadstead_testkit::Backend;

use crate::world::Database;

/// Puts servers of the one organization on record.
///
/// # Errors
///
/// Fails if the database refuses them.
pub(crate) async fn servers(
    database: &Database,
    backend: Backend,
    provider: &str,
    count: u32,
) -> Result<()> {
    let statement = statement(backend, provider, count);
    match backend {
        Backend::Postgres => {
            let url = database.scratch.url();
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
            let connection = tokio::spawn(connection);
            client.batch_execute(&statement).await?;
            client.batch_execute("VACUUM ANALYZE vps_instances").await?;
            drop(client);
            connection.await??;
        }
        Backend::Sqlite => {
            let path = database
                .scratch
                .url()
                .strip_prefix("sqlite://")
                .context("no file")?;
            let mut connection = diesel::SqliteConnection::establish(path)?;
            connection.batch_execute(&statement)?;
            connection.batch_execute("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);")?;
        }
    }
    Ok(())
}

/// The two databases differ in how they count, make ids and keep JSON.
fn statement(backend: Backend, provider: &str, count: u32) -> String {
    let (id, of_provider, numbers, now, json) = match backend {
        Backend::Postgres => (
            "('01890000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid".to_owned(),
            format!("'{provider}'::uuid"),
            format!("generate_series(1, {count}) AS numbers (n)"),
            "now()",
            (
                "'[\"web\"]'::jsonb",
                "'[{\"ip\": \"203.0.113.7\", \"scope\": \"public\"}]'::jsonb",
                "'\"provider_api\"'::jsonb",
            ),
        ),
        Backend::Sqlite => (
            "unhex('018900000000700080' || printf('%014x', n))".to_owned(),
            format!("unhex('{}')", provider.replace('-', "")),
            format!(
                "(WITH RECURSIVE numbers (n) AS \
                 (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) \
                 SELECT n FROM numbers)"
            ),
            "1764000000000000",
            (
                "jsonb('[\"web\"]')",
                "jsonb('[{\"ip\": \"203.0.113.7\", \"scope\": \"public\"}]')",
                "jsonb('\"provider_api\"')",
            ),
        ),
    };
    let (tags, addresses, source) = json;
    format!(
        "INSERT INTO vps_instances (id, organization_id, provider_id, provider_kind, remote_id, \
         remote_name, label, label_folded, notes, tags, lifecycle, power, power_raw, plan_id, \
         region_id, image_id, vcpus, memory_mib, disk_mib, addresses, price_hourly, \
         price_monthly, price_currency, price_monthly_is_cap, price_source, price_as_of, \
         observed_at, created_at, updated_at) \
         SELECT {id}, (SELECT id FROM organizations), {of_provider}, 'digitalocean', \
         'seed-' || n, 'web-' || n, 'Web ' || n, 'web ' || n, '', {tags}, 'live', 'running', \
         'active', 's-1vcpu-1gb', 'nyc3', 'ubuntu-22-04-x64', 1, 1024, 25600, {addresses}, \
         8930000, 6000000000, 'USD', {truth}, {source}, {now}, {now}, {now}, {now} FROM {numbers};",
        truth = match backend {
            Backend::Postgres => "TRUE",
            Backend::Sqlite => "1",
        }
    )
}
