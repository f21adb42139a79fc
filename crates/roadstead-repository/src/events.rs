//! Events: written in the transaction of the change, read in the order of the commits.

mod read;
mod watch;

use diesel::sql_types::{BigInt, Nullable};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::{Connection, Lite, Together, Write, written};
use crate::error::Result;
use crate::row;
use crate::schema::events;
use crate::types::Time;

pub use self::read::EventPage;
pub use self::watch::{EventWatch, Wake};

/// How many events one statement writes: each takes seven of its 65,535 parameters.
const AT_ONCE: usize = 1000;

/// What a transaction has to tell: gathered while it runs, written once before it ends.
#[derive(Debug, Default)]
pub(crate) struct Told(Vec<row::Event>);

impl Told {
    /// Tells how a server stands.
    pub(crate) fn instance(&mut self, it: &row::Instance, now: Time) -> Result<()> {
        self.0.push(row::Event::of_instance(it, now)?);
        Ok(())
    }

    /// Tells how an operation stands.
    pub(crate) fn operation(&mut self, it: &row::Operation, now: Time) -> Result<()> {
        self.0.push(row::Event::of_operation(it, now)?);
        Ok(())
    }

    /// Writes what there is to tell. After the commit, [`Repository::told`] wakes its readers.
    ///
    /// [`Repository::told`]: crate::Repository::told
    pub(crate) async fn write(&self, tx: &mut Connection) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        match tx {
            Connection::Postgres(object) => self.write_after(object, &[]).await,
            Connection::Sqlite(object) => self.write_lite(object).await,
        }
    }

    /// Writes what there is to tell, and other things with it, in one statement.
    pub(crate) async fn write_after(
        &self,
        connection: &mut AsyncPgConnection,
        rest: &[Write<'_>],
    ) -> Result<()> {
        // Of one and of two, the usual numbers, the prepared statement is kept.
        match self.0.as_slice() {
            [] => together(connection, rest, None).await,
            [one] => {
                let write = diesel::insert_into(events::table).values(one);
                together(connection, rest, Some(&write)).await
            }
            [one, other] => {
                let write = diesel::insert_into(events::table).values([one, other]);
                together(connection, rest, Some(&write)).await
            }
            many => {
                let mut rest = rest;
                for chunk in many.chunks(AT_ONCE) {
                    let write = diesel::insert_into(events::table).values(chunk);
                    together(connection, rest, Some(&write)).await?;
                    rest = &[];
                }
                Ok(())
            }
        }
    }

    /// Writes what there is to tell. The one writer's order is the order of the commits, so that
    /// each event gets its place at once.
    pub(crate) async fn write_lite(&self, connection: &mut Lite) -> Result<()> {
        for event in &self.0 {
            diesel::insert_into(events::table)
                .values(event)
                .execute(connection)
                .await?;
        }
        diesel::update(events::table.filter(events::position.is_null()))
            .set(events::position.eq(written::<Nullable<BigInt>>("ordinal")))
            .execute(connection)
            .await?;
        Ok(())
    }
}

async fn together<'a>(
    connection: &mut AsyncPgConnection,
    rest: &[Write<'a>],
    last: Option<Write<'a>>,
) -> Result<()> {
    let mut writes = Vec::with_capacity(rest.len().saturating_add(1));
    writes.extend_from_slice(rest);
    writes.extend(last);
    if writes.is_empty() {
        return Ok(());
    }
    Together(&writes).execute(connection).await?;
    Ok(())
}
