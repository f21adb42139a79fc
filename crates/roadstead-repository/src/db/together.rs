//! Several writes in one statement, where each flight to the server counts.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// A write that can stand beside others.
pub(crate) type Write<'a> = &'a (dyn QueryFragment<Pg> + Sync);

/// Writes that PostgreSQL takes as one statement. They see the same rows, none of each other's;
/// references between them are checked when all are done.
pub(crate) struct Together<'a>(pub(crate) &'a [Write<'a>]);

impl QueryId for Together<'_> {
    type QueryId = ();

    // Known by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Together<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Some((last, rest)) = self.0.split_last() else {
            return Ok(());
        };
        for (number, write) in rest.iter().enumerate() {
            out.push_sql(if number == 0 { "WITH " } else { ", " });
            out.push_sql(&format!("write_{number} AS ("));
            write.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        if !rest.is_empty() {
            out.push_sql(" ");
        }
        last.walk_ast(out)
    }
}
