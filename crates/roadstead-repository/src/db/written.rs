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

impl<ST> Written<ST> {
    /// Puts a value behind it, and a text behind that.
    pub(crate) const fn bind<E>(self, value: E, tail: &'static str) -> Bound<Self, E> {
        let head = self;
        Bound { head, value, tail }
    }
}

/// What is [`Written`], with a bound value in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound<H, E> {
    head: H,
    value: E,
    tail: &'static str,
}

impl<H, E> Bound<H, E> {
    /// Puts another value behind it, and a text behind that.
    pub(crate) const fn bind<F>(self, value: F, tail: &'static str) -> Bound<Self, F> {
        let head = self;
        Bound { head, value, tail }
    }
}

impl<H: Expression, E> Expression for Bound<H, E> {
    type SqlType = H::SqlType;
}

impl<H: QueryFragment<DB>, E: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Bound<H, E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.head.walk_ast(out.reborrow())?;
        self.value.walk_ast(out.reborrow())?;
        out.push_sql(self.tail);
        Ok(())
    }
}

impl<H, E> QueryId for Bound<H, E> {
    type QueryId = ();

    // Known by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<QS, H, E> SelectableExpression<QS> for Bound<H, E> where Self: Expression {}

impl<QS, H, E> AppearsOnTable<QS> for Bound<H, E> where Self: Expression {}

impl<H, E, GB> ValidGrouping<GB> for Bound<H, E> {
    type IsAggregate = is_aggregate::Never;
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

/// Returns a `LIKE` pattern for exactly this text, with a backslash as the letter that escapes.
pub(crate) fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_its_letters_literally() {
        assert_eq!(literally("a%_\\"), "a\\%\\_\\\\");
    }
}
