//! SQL types that both databases have, and the Rust values that travel through them.
//!
//! One `table!` schema serves PostgreSQL and SQLite because every column uses either a type that
//! diesel knows on both or one of the two declared here.

use std::io::Write;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, SqlType};
use diesel::sqlite::{Sqlite, SqliteValue};
use jiff::Timestamp;
use uuid::Uuid;

/// `UUID` in PostgreSQL, 16 bytes in SQLite.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct DbUuid;

/// `TIMESTAMPTZ` in PostgreSQL, microseconds since 1970 in SQLite.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct DbTime;

/// Any of our ids, on its way in or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, FromSqlRow, AsExpression)]
#[diesel(sql_type = DbUuid)]
pub(crate) struct Id(pub(crate) Uuid);

/// A moment, on its way in or out, in whole microseconds: PostgreSQL keeps no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, FromSqlRow, AsExpression)]
#[diesel(sql_type = DbTime)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Time {
    /// Reads the process's clock.
    pub(crate) fn now() -> Self {
        Self::from(Timestamp::now())
    }

    /// Returns the moment this much earlier, or the first one there is.
    pub(crate) fn before(self, duration: std::time::Duration) -> Self {
        Self::from(self.0.checked_sub(duration).unwrap_or(Timestamp::MIN))
    }

    /// Returns the moment this much later, or the last one there is.
    pub(crate) fn after(self, duration: std::time::Duration) -> Self {
        Self::from(self.0.checked_add(duration).unwrap_or(Timestamp::MAX))
    }
}

impl From<Timestamp> for Time {
    fn from(it: Timestamp) -> Self {
        let micros = Timestamp::from_microsecond(it.as_microsecond());
        // Within its very last second a moment has microseconds that cannot be read back.
        Self(
            micros
                .or_else(|_beyond| Timestamp::from_second(it.as_second()))
                .unwrap_or(it),
        )
    }
}

/// 2000-01-01T00:00:00Z, from which PostgreSQL counts.
const PG_EPOCH: i64 = 946_684_800_000_000;

impl ToSql<DbUuid, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<DbUuid, Pg> for Id {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(value.as_bytes())?))
    }
}

impl ToSql<DbUuid, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<DbUuid, Sqlite> for Id {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(value.read_blob())?))
    }
}

impl ToSql<DbTime, Pg> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.0.as_microsecond().saturating_sub(PG_EPOCH);
        ToSql::<BigInt, Pg>::to_sql(&micros, &mut out.reborrow())
    }
}

impl FromSql<DbTime, Pg> for Time {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        Ok(Self(Timestamp::from_microsecond(
            micros.saturating_add(PG_EPOCH),
        )?))
    }
}

impl ToSql<DbTime, Sqlite> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_microsecond());
        Ok(IsNull::No)
    }
}

impl FromSql<DbTime, Sqlite> for Time {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(Timestamp::from_microsecond(value.read_long())?))
    }
}
