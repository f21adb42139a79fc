//! Money: exact decimals with a currency, never floats.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A currency by its ISO 4217 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Currency {
    /// United States dollar.
    #[serde(rename = "USD")]
    Usd,
    /// Euro.
    #[serde(rename = "EUR")]
    Eur,
}

impl Currency {
    /// Returns the three-letter code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Eur => "EUR",
        }
    }

    /// Returns the currency with this three-letter code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "USD" => Some(Self::Usd),
            "EUR" => Some(Self::Eur),
            _ => None,
        }
    }
}

/// An exact amount. In JSON the amount is a string: `{"amount": "0.00744", "currency": "USD"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount, in whole units of the currency (dollars, not cents).
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// Makes an amount of United States dollars.
    #[must_use]
    pub const fn usd(amount: Decimal) -> Self {
        Self {
            amount,
            currency: Currency::Usd,
        }
    }

    /// Returns the amount in nano-units, the form in which the database keeps it.
    ///
    /// `None` when the amount has more than nine decimal places or does not fit
    /// an `i64` (about 9.2 billion units): stored money is never rounded silently.
    #[must_use]
    pub fn nanos(self) -> Option<i64> {
        let nanos = self
            .amount
            .checked_mul(Decimal::from(1_000_000_000))?
            .normalize();
        if nanos.scale() == 0 {
            nanos.to_i64()
        } else {
            None
        }
    }

    /// Returns the amount that was stored as nano-units.
    #[must_use]
    pub fn from_nanos(nanos: i64, currency: Currency) -> Self {
        Self {
            amount: Decimal::new(nanos, 9).normalize(),
            currency,
        }
    }
}

/// What something costs. Each part may be unknown, which is `None` and never zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Per started hour.
    pub hourly: Option<Money>,
    /// Per month, as the vendor publishes it; never computed from the hourly price.
    pub monthly: Option<Money>,
    /// Whether hours stop adding up at the monthly price.
    pub monthly_is_cap: bool,
    /// Where the figures come from.
    pub source: PriceSource,
    /// When they were read.
    pub as_of: Timestamp,
}

/// Where a price comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PriceSource {
    /// The vendor's own API.
    ProviderApi,
    /// A price list of a given version.
    Catalogue {
        /// The list's version.
        version: Box<str>,
    },
    /// Set by the operator of this installation.
    Operator,
}

impl PriceSource {
    /// Returns the word for people and programs, without what differs from case to case.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::ProviderApi => "provider_api",
            Self::Catalogue { .. } => "catalogue",
            Self::Operator => "operator",
        }
    }
}

/// Reads what a person wrote as an amount: digits, and at most one point with digits on both
/// sides of it.
///
/// `None` for anything else (signs, exponents, spaces, other scripts' digits), for more than ten
/// digits before the point and for more than `places` after it: an amount is never rounded
/// because of how it was written.
#[must_use]
pub fn plain_decimal(text: &str, places: usize) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() > 10 || fraction.len() > places.max(1) {
        return None;
    }
    text.parse::<Decimal>().ok().map(|it| it.normalize())
}

/// Reads the exact digits of a JSON number (or of a number in a string) and
/// rounds half-even to `places` decimal places.
///
/// Vendors print 32-bit floats (`0.00743999984115362` for 0.00744): the
/// published number of places removes that noise without inventing digits.
/// `None` when it is no number or does not fit.
#[must_use]
pub fn exact_decimal(raw: &RawValue, places: u32) -> Option<Decimal> {
    let text = raw.get().trim().trim_matches('"');
    let value = text
        .parse::<Decimal>()
        .or_else(|_| Decimal::from_scientific(text))
        .ok()?;
    Some(value.round_dp(places).normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn float_noise_is_rounded_to_the_published_places() {
        assert_eq!(
            exact_decimal(&raw("0.00743999984115362"), 5)
                .unwrap()
                .to_string(),
            "0.00744"
        );
        assert_eq!(exact_decimal(&raw("1e-3"), 5).unwrap().to_string(), "0.001");
        assert_eq!(
            exact_decimal(&raw("\"12.50\""), 2).unwrap().to_string(),
            "12.5"
        );
        assert_eq!(exact_decimal(&raw("null"), 2), None);
    }

    #[test]
    fn an_amount_is_digits_with_at_most_one_point() {
        for (text, read) in [
            ("0", "0"),
            ("12.50", "12.5"),
            ("0.000000001", "0.000000001"),
            ("0009999999.1", "9999999.1"),
        ] {
            assert_eq!(plain_decimal(text, 9).unwrap().to_string(), read);
        }
        for wrong in [
            "",
            ".",
            "1.",
            ".5",
            "+1",
            "-1",
            "1e3",
            "1_000",
            " 1",
            "1 ",
            "0x1",
            "1,5",
            "1.2.3",
            "\u{661}",
            "NaN",
            "12345678901",
            "0.0000000001",
        ] {
            assert_eq!(plain_decimal(wrong, 9), None, "{wrong}");
        }
        assert_eq!(plain_decimal("1.23", 1), None);
    }

    #[test]
    fn nano_units_survive_the_round_trip_and_refuse_to_round() {
        let money = Money::usd("0.00744".parse().unwrap());
        assert_eq!(money.nanos(), Some(7_440_000));
        assert_eq!(Money::from_nanos(7_440_000, Currency::Usd), money);
        assert_eq!(Money::usd("0.0000000001".parse().unwrap()).nanos(), None);
        assert_eq!(Money::usd("99999999999".parse().unwrap()).nanos(), None);
    }

    #[test]
    fn amounts_are_strings_in_json() {
        let money = Money::usd("0.00744".parse().unwrap());
        let json = serde_json::to_string(&money).unwrap();
        assert_eq!(json, r#"{"amount":"0.00744","currency":"USD"}"#);
        assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }
}
