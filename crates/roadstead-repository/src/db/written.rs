//! SQL written out, for the few places that diesel has no words for.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping,
    is_aggregate,
};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// An expression of one text that never varies. Unlike diesel's own literal, which may, it lets
/// the prepared statement around it be kept, and so saves a flight to PostgreSQL each time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<ST> {
    text: &'static str,
    sql_type: PhantomData<ST>,
}

/// Returns an expression; the caller vouches for its type.
pub(crate) const fn written<ST>(text: &'static str) -> Written<ST> {
    Written {
        text,
        sql_type: PhantomData,
    }
}

impl<ST: TypedExpressionType> Expression for Written<ST> {
    type SqlType = ST;
}

impl<ST, DB: Backend> QueryFragment<DB> for Written<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.text);
        Ok(())
    }
}

impl<ST> QueryId for Written<ST> {
    type QueryId = ();

    // Known by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<QS, ST> SelectableExpression<QS> for Written<ST> where Self: Expression {}

impl<QS, ST> AppearsOnTable<QS> for Written<ST> where Self: Expression {}

impl<ST, GB> ValidGrouping<GB> for Written<ST> {
    type IsAggregate = is_aggregate::Never;
}
