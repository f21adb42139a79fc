//! Servers by whatever somebody remembers of them.

use std::net::IpAddr;

use diesel::sql_types::{Bool, Text};
use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, IntoSql, QueryDsl,
    SelectableHelper, TextExpressionMethods,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::kept;
use super::list::containing;
use crate::Tenant;
use crate::db::{Backend, Repository, Written, literally, read, written};
use crate::error::Result;
use crate::record::Instance;
use crate::row;
use crate::schema::vps_instances;
use crate::types::Id;

impl Repository {
    /// Returns the tenant's servers whose label contains a text, of which an address begins with
    /// it, or whose id here or at the vendor it is; the newest first, without deleted ones.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the database does not answer.
    pub async fn search_instances(
        &self,
        tenant: &Tenant,
        text: &str,
        limit: u32,
    ) -> Result<Vec<Instance>> {
        let label = containing(text);
        let address = beginning(text);
        // Nobody's, where it is none.
        let id = text.parse::<Uuid>().unwrap_or_default();
        let (head, tail) = addressed(self.backend());
        let rows: Vec<row::Instance> = read!(self.db, c => {
            let address = head.bind(address.as_str().into_sql::<Text>(), tail);
            let found = vps_instances::label_folded.like(label.as_str()).escape('\\')
                .or(vps_instances::id.eq(Id(id)))
                .or(address)
                .or(vps_instances::remote_id.eq(text));
            vps_instances::table
                .filter(vps_instances::organization_id.eq(Id(tenant.org.0)))
                .filter(kept())
                .filter(found)
                .order((vps_instances::created_at.desc(), vps_instances::id.desc()))
                .limit(i64::from(limit))
                .select(row::Instance::as_select())
                .load(c).await
        })?;
        rows.into_iter().map(row::Instance::into_record).collect()
    }
}

/// Returns a `LIKE` pattern for addresses that begin with a text, in the one form in which we
/// keep them.
fn beginning(text: &str) -> String {
    let text = match text.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_part) => text.to_lowercase(),
    };
    format!("{}%", literally(&text))
}

/// Returns the two halves of a condition around the beginning of an address.
const fn addressed(backend: Backend) -> (Written<Bool>, &'static str) {
    match backend {
        Backend::Postgres => (
            written(
                "EXISTS (SELECT 1 FROM jsonb_array_elements(vps_instances.addresses) AS it(address) \
                 WHERE it.address ->> 'ip' LIKE ",
            ),
            " ESCAPE '\\')",
        ),
        Backend::Sqlite => (
            written(
                "EXISTS (SELECT 1 FROM json_each(vps_instances.addresses) AS it \
                 WHERE it.value ->> 'ip' LIKE ",
            ),
            " ESCAPE '\\')",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_looked_for_in_the_form_in_which_it_is_kept() {
        assert_eq!(beginning("2001:DB8:0:0:0:0:0:1"), "2001:db8::1%");
        assert_eq!(beginning("203.0."), "203.0.%");
        assert_eq!(beginning("1_%"), "1\\_\\%%");
    }
}
