//! What is added to a price, as a form asks for it. Nothing is rounded because of how it was
//! typed.

use maud::{Markup as Html, html};
use roadstead_core::{Currency, Markup, Money, Percent, plain_decimal};

use crate::form::{Filled, Mistakes, Values};
use crate::ui::{Field, Text, field};

/// Decimal places of every amount and percentage.
const PLACES: usize = 9;

const AMOUNT: &str =
    "Enter an amount such as 0.00744: digits, at most nine of them after the point, no sign.";

/// Asks what is added.
pub(super) fn fields(filled: &Filled) -> Html {
    html! {
        (field::select(
            filled,
            Field::new("markup", "Add to the provider’s price"),
            [("none", "Nothing"), ("percent", "A percentage"), ("fixed", "An amount")],
        ))
        (field::text(
            filled,
            Field::new("percent", "Percentage").hint("Such as 12.5. Only for a percentage."),
            Text { longest: Some(16), ..Text::default() },
        ))
        (field::text(
            filled,
            Field::new("monthly", "Amount per month").hint("Only for an amount."),
            Text { longest: Some(24), ..Text::default() },
        ))
        (field::text(
            filled,
            Field::new("hourly", "Amount per hour")
                .hint("Only for an amount. Neither follows from the other: a month is not so many hours."),
            Text { longest: Some(24), ..Text::default() },
        ))
        (field::select(
            filled,
            Field::new("currency", "Currency of the amounts"),
            [Currency::Usd, Currency::Eur].map(|it| (it.as_str(), it.as_str())),
        ))
    }
}

/// Returns what a form begins with.
pub(super) fn filled(markup: &Markup) -> Vec<(&'static str, String)> {
    match markup {
        Markup::None => vec![("markup", "none".to_owned())],
        Markup::Percent(percent) => vec![
            ("markup", "percent".to_owned()),
            ("percent", percent.to_string()),
        ],
        Markup::Fixed { hourly, monthly } => vec![
            ("markup", "fixed".to_owned()),
            ("hourly", hourly.amount.normalize().to_string()),
            ("monthly", monthly.amount.normalize().to_string()),
            ("currency", hourly.currency.as_str().to_owned()),
        ],
    }
}

/// Reads what is added. What does not belong to the chosen kind must be empty, so that nothing
/// that somebody has typed is passed over.
pub(super) fn read(values: &Values) -> Result<Markup, Mistakes> {
    let mut mistakes = Mistakes::default();
    let kind = values.text("markup");
    for (name, wanted) in [
        ("percent", "percent"),
        ("hourly", "fixed"),
        ("monthly", "fixed"),
    ] {
        match (values.given(name).is_some(), kind == wanted) {
            (true, false) => mistakes.add(name, "Leave this empty, or choose its kind above."),
            (false, true) => mistakes.add(name, "This is needed."),
            _ => {}
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let markup = match kind {
        "none" => Some(Markup::None),
        "percent" => percent(values, &mut mistakes).map(Markup::Percent),
        "fixed" => fixed(values, &mut mistakes),
        _ => {
            mistakes.add("markup", "Choose one of these.");
            None
        }
    };
    markup.filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

fn percent(values: &Values, mistakes: &mut Mistakes) -> Option<Percent> {
    let typed = values.text("percent").trim();
    let percent = plain_decimal(typed, PLACES).and_then(Percent::new);
    if percent.is_none() {
        let message = "Enter a number from 0 to 10000 such as 12.5: digits, at most nine of them \
                       after the point, no sign.";
        mistakes.add("percent", message);
    }
    percent
}

fn fixed(values: &Values, mistakes: &mut Mistakes) -> Option<Markup> {
    let currency = Currency::from_code(values.text("currency"));
    if currency.is_none() {
        mistakes.add("currency", "Choose one of these.");
    }
    let mut amount = |name: &'static str| {
        let typed = plain_decimal(values.text(name).trim(), PLACES);
        let money = typed.zip(currency.or(Some(Currency::Usd)));
        let money = money.map(|(amount, currency)| Money { amount, currency });
        // Ten digits may still be more than the database takes.
        let money = money.filter(|it| it.nanos().is_some());
        if money.is_none() {
            mistakes.add(name, AMOUNT);
        }
        money
    };
    let (monthly, hourly) = (amount("monthly"), amount("hourly"));
    let (hourly, monthly) = hourly.zip(monthly)?;
    Some(Markup::Fixed { hourly, monthly })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(pairs: &[(&str, &str)]) -> Vec<String> {
        let mistakes = read(&Values::of(pairs.iter().copied())).unwrap_err();
        let fields = mistakes.fields.iter();
        fields.map(|it| it.field.to_string()).collect()
    }

    #[test]
    fn amounts_are_read_exactly() {
        for markup in [
            Markup::None,
            Markup::Percent(Percent::new("12.500000001".parse().unwrap()).unwrap()),
            Markup::Fixed {
                hourly: Money::usd("0.000000001".parse().unwrap()),
                monthly: Money::usd("1234567.5".parse().unwrap()),
            },
        ] {
            let pairs = filled(&markup);
            let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
            assert_eq!(read(&Values::of(pairs)).unwrap(), markup);
        }
    }

    #[test]
    fn each_mistake_stands_beside_its_field() {
        for percent in ["-1", "1e3", "12,5", "10001", "0.0000000001", "١"] {
            let pairs = [("markup", "percent"), ("percent", percent)];
            assert_eq!(wrong(&pairs), ["percent"], "{percent}");
        }
        let fixed = [
            ("markup", "fixed"),
            ("hourly", "x"),
            ("monthly", "9999999999"),
        ];
        assert_eq!(wrong(&fixed), ["currency", "monthly", "hourly"]);
        assert_eq!(wrong(&[("markup", "percent")]), ["percent"]);
        assert_eq!(wrong(&[("markup", "none"), ("hourly", "1")]), ["hourly"]);
        assert_eq!(wrong(&[("markup", "double")]), ["markup"]);
    }
}
