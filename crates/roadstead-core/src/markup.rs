//! Markup: what an operator adds to a vendor's price, exactly and once.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Currency, Money, Price, PriceSource};

/// Nano-percent in one whole: 100 % at nine decimal places.
const WHOLE: i128 = 100_000_000_000;

/// The most percent; above, somebody has misplaced a decimal point.
const MOST_PERCENT: i64 = 10_000_000_000_000;

/// A percentage with at most nine decimal places, from 0 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Percent(i64);

impl Percent {
    /// Takes a number of percent; `None` if it is negative, above 10,000 or has more than nine
    /// decimal places.
    #[must_use]
    pub fn new(percent: Decimal) -> Option<Self> {
        Money::usd(percent).nanos().and_then(Self::from_nanos)
    }

    /// Takes billionths of a percent, the form in which the database keeps it.
    #[must_use]
    pub fn from_nanos(nanos: i64) -> Option<Self> {
        (0..=MOST_PERCENT).contains(&nanos).then_some(Self(nanos))
    }

    /// Returns billionths of a percent.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Percent {
    type Error = &'static str;

    fn try_from(nanos: i64) -> Result<Self, Self::Error> {
        Self::from_nanos(nanos).ok_or("a percentage is between 0 and 10,000")
    }
}

impl From<Percent> for i64 {
    fn from(it: Percent) -> Self {
        it.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal::new(self.0, 9).normalize().fmt(f)
    }
}

/// What is added to a base price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Markup {
    /// Nothing.
    None,
    /// A part of the base price.
    Percent(Percent),
    /// Amounts of one currency, none of them negative. Neither follows from the other: a
    /// vendor's month is not so many of its hours.
    Fixed {
        /// Added to the price of an hour.
        hourly: Money,
        /// Added to the price of a month.
        monthly: Money,
    },
}

/// Why a markup cannot be put on a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkupError {
    /// Its amounts are in one currency, the price is in another.
    Currency {
        /// The markup's.
        markup: Currency,
        /// The price's.
        price: Currency,
    },
    /// An amount is negative, has more than nine decimal places, or is too large to be stored.
    OutOfRange,
}

impl fmt::Display for MarkupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Currency { markup, price } => write!(
                f,
                "the markup is in {} and the price in {}",
                markup.as_str(),
                price.as_str()
            ),
            Self::OutOfRange => f.write_str(
                "with the markup the price is out of range: amounts are not negative, have at \
                 most nine decimal places and stay below 9.2 billion",
            ),
        }
    }
}

impl std::error::Error for MarkupError {}

impl Markup {
    /// Returns the price with the markup on it: each known part raised once and rounded
    /// half-even to nine decimal places. What is unknown stays unknown, whatever is added.
    ///
    /// # Errors
    ///
    /// [`MarkupError`].
    pub fn apply(&self, base: &Price) -> Result<Price, MarkupError> {
        let (hourly, monthly) = match self {
            Self::None => (None, None),
            Self::Percent(percent) => (Some(Added::Part(*percent)), Some(Added::Part(*percent))),
            Self::Fixed { hourly, monthly } => {
                (Some(Added::Amount(*hourly)), Some(Added::Amount(*monthly)))
            }
        };
        Ok(Price {
            hourly: base.hourly.map(|it| raised(it, hourly)).transpose()?,
            monthly: base.monthly.map(|it| raised(it, monthly)).transpose()?,
            monthly_is_cap: base.monthly_is_cap,
            source: PriceSource::Operator,
            as_of: base.as_of,
        })
    }

    /// Returns the currency of its amounts, if it has any.
    #[must_use]
    pub const fn currency(&self) -> Option<Currency> {
        match self {
            Self::None | Self::Percent(_) => None,
            Self::Fixed { hourly, .. } => Some(hourly.currency),
        }
    }
}

enum Added {
    Part(Percent),
    Amount(Money),
}

fn raised(base: Money, added: Option<Added>) -> Result<Money, MarkupError> {
    let nanos = whole(base)?;
    let sum = match added {
        None => i128::from(nanos),
        // Both factors fit 64 bits, so the product is exact and one division rounds it.
        Some(Added::Part(percent)) => divided_half_even(
            i128::from(nanos) * (WHOLE + i128::from(percent.nanos())),
            WHOLE,
        ),
        Some(Added::Amount(amount)) if amount.currency != base.currency => {
            return Err(MarkupError::Currency {
                markup: amount.currency,
                price: base.currency,
            });
        }
        Some(Added::Amount(amount)) => i128::from(nanos) + i128::from(whole(amount)?),
    };
    let sum = i64::try_from(sum).map_err(|_too_large| MarkupError::OutOfRange)?;
    Ok(Money::from_nanos(sum, base.currency))
}

fn whole(money: Money) -> Result<i64, MarkupError> {
    money
        .nanos()
        .filter(|it| *it >= 0)
        .ok_or(MarkupError::OutOfRange)
}

/// Divides what is not negative, and rounds a half to the even neighbor.
const fn divided_half_even(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest * 2 > divisor || (rest * 2 == divisor && quotient % 2 == 1) {
        quotient + 1
    } else {
        quotient
    }
}

#[cfg(test)]
mod tests;
