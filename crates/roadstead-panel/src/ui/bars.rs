//! Amounts side by side: a table with a bar in each row.

use maud::{Markup, html};
use roadstead_core::Money;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::money::words;

/// A row.
#[derive(Debug)]
pub(crate) struct Bar<'a> {
    /// What it is about.
    pub(crate) label: &'a str,
    /// What there is to say about it.
    pub(crate) note: Markup,
    /// The amount; `None` is unknown.
    pub(crate) amount: Option<Money>,
}

/// Shows amounts of one currency beside each other; bars of another say nothing, and are left out.
pub(crate) fn bars(caption: &str, rows: &[Bar<'_>]) -> Markup {
    let amounts = || rows.iter().filter_map(|it| it.amount);
    let longest = amounts().map(|it| it.amount).max().unwrap_or_default();
    let currency = amounts().next().map(|it| it.currency);
    let comparable = amounts().all(|it| Some(it.currency) == currency);
    html! {
        div.table {
            table.bars {
                caption { (caption) }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" { (row.label) div.small { (row.note) } }
                            td.number {
                                @match &row.amount {
                                    Some(amount) => (words(amount)),
                                    None => span.unknown { "not known" },
                                }
                            }
                            td.bar {
                                @if let Some(amount) = row.amount.filter(|_| comparable) {
                                    svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" {
                                        rect width=(share(amount.amount, longest)) height="1" {}
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns how many hundredths of the longest bar this one has.
fn share(amount: Decimal, longest: Decimal) -> i64 {
    let hundredths = amount.checked_mul(Decimal::ONE_HUNDRED);
    let share = hundredths.and_then(|it| it.checked_div(longest));
    share.and_then(|it| it.to_i64()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use roadstead_core::Currency;

    use super::*;

    fn bar(label: &'static str, amount: Option<&str>) -> Bar<'static> {
        Bar {
            label,
            note: html! { "small" },
            amount: amount.map(|it| Money::usd(it.parse().unwrap())),
        }
    }

    #[test]
    fn bars_are_as_long_as_their_amounts() {
        let shown = bars(
            "Cheapest",
            &[bar("<a>", Some("20")), bar("b", Some("5")), bar("c", None)],
        )
        .0;
        assert!(shown.contains(r#"<rect width="100""#), "{shown}");
        assert!(shown.contains(r#"<rect width="25""#), "{shown}");
        assert!(
            shown.contains("&lt;a&gt;") && shown.contains("not known"),
            "{shown}"
        );
        assert_eq!(shown.matches("<rect").count(), 2);
    }

    #[test]
    fn two_currencies_have_no_common_length_and_nothing_is_no_division() {
        let mut euro = bar("euro", Some("1"));
        euro.amount = euro.amount.map(|it| Money {
            currency: Currency::Eur,
            ..it
        });
        assert!(
            !bars("x", &[euro, bar("dollar", Some("1"))])
                .0
                .contains("<rect")
        );
        assert!(
            bars("x", &[bar("free", Some("0"))])
                .0
                .contains(r#"<rect width="0""#)
        );
    }
}
