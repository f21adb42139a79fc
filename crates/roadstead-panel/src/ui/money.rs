//! Money as people read it: exact, and never a float.

use maud::{Markup, html};
use roadstead_core::{Currency, Money, Price};

/// Says an amount exactly, with at least two decimal places.
pub(crate) fn words(money: &Money) -> String {
    let amount = money.amount.normalize();
    let amount = if amount.scale() < 2 {
        format!("{amount:.2}")
    } else {
        amount.to_string()
    };
    match money.currency {
        Currency::Usd => format!("${amount}"),
        Currency::Eur => format!("€{amount}"),
        other => format!("{amount} {}", other.as_str()),
    }
}

/// Shows an amount; one that nobody knows is no zero.
pub(crate) fn money(money: Option<&Money>) -> Markup {
    html! {
        @match money {
            Some(it) => span.money { (words(it)) },
            None => span.unknown { "not known" },
        }
    }
}

/// Shows a price by the month and by the hour.
pub(crate) fn price(price: Option<&Price>) -> Markup {
    let monthly = price.and_then(|it| it.monthly.as_ref());
    let hourly = price.and_then(|it| it.hourly.as_ref());
    html! {
        @match (monthly, hourly) {
            (None, None) => span.unknown { "The price is not known" },
            (Some(month), None) => { span.price { (words(month)) } " per month" },
            (None, Some(hour)) => { span.price { (words(hour)) } " per hour" },
            (Some(month), Some(hour)) => {
                span.price { (words(month)) } " per month"
                span.small { (words(hour)) " per hour"
                    @if price.is_some_and(|it| it.monthly_is_cap) { ", at most the month’s price" }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Money {
        Money::usd(text.parse().unwrap())
    }

    #[test]
    fn no_digit_is_lost_and_none_is_made_up() {
        for (amount, said) in [
            ("5", "$5.00"),
            ("20.7", "$20.70"),
            ("20.740", "$20.74"),
            ("0.008928", "$0.008928"),
            ("0", "$0.00"),
            ("1234567.5", "$1234567.50"),
        ] {
            assert_eq!(words(&usd(amount)), said);
        }
        let euro = Money {
            currency: Currency::Eur,
            ..usd("3.5")
        };
        assert_eq!(words(&euro), "€3.50");
    }

    #[test]
    fn what_is_not_known_is_no_zero() {
        assert!(money(None).0.contains("not known"));
        assert!(price(None).0.contains("not known"));
    }
}
