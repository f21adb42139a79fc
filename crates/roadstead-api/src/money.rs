//! Money as clients write it: decimal texts, never numbers, and nothing is rounded.

use roadstead_core::{Currency, Markup, Money, Percent, plain_decimal};
use roadstead_service::BasePrice;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::ApiError;
use crate::openapi::words;

/// Decimal places of every amount and percentage.
const PLACES: usize = 9;

/// An exact amount that is not negative.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Amount")]
#[serde(deny_unknown_fields)]
pub(crate) struct MoneyBody {
    /// The amount in whole units of the currency (dollars, not cents), as a decimal text with at
    /// most nine decimal places.
    #[schemars(regex(pattern = r"^[0-9]{1,10}(\.[0-9]{1,9})?$"), example = &"0.001")]
    amount: String,
    /// The currency's ISO 4217 code.
    #[schemars(with = "words::Currency")]
    currency: String,
}

impl MoneyBody {
    fn read(&self, field: &str) -> Result<Money, ApiError> {
        let amount = plain_decimal(&self.amount, PLACES).filter(|it| {
            // Ten digits may still be more than the database takes.
            Money::usd(*it).nanos().is_some()
        });
        let amount = amount.ok_or_else(|| {
            let message = "must be a decimal text such as \"0.00744\": digits, at most nine of \
                           them after the point, no sign and no exponent, below 9.2 billion";
            ApiError::validation(format!("{field}.amount"), message)
        })?;
        let currency = Currency::from_code(&self.currency).ok_or_else(|| {
            let message = "must be `USD` or `EUR`";
            ApiError::validation(format!("{field}.currency"), message)
        })?;
        Ok(Money { amount, currency })
    }
}

/// A base price of the operator's own. At least one amount is needed; one that is not given is
/// unknown, and both are in the currency of the provider's prices.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "SetBasePrice")]
#[serde(deny_unknown_fields)]
pub(crate) struct BasePriceBody {
    /// Per started hour.
    hourly: Option<MoneyBody>,
    /// Per month; never computed from the hourly price.
    monthly: Option<MoneyBody>,
    /// Whether hours stop adding up at the monthly price.
    #[serde(default)]
    monthly_is_cap: bool,
}

impl BasePriceBody {
    pub(crate) fn read(self) -> Result<BasePrice, ApiError> {
        let part = |it: Option<MoneyBody>, name: &str| {
            it.map(|it| it.read(&format!("base_price.{name}")))
                .transpose()
        };
        Ok(BasePrice {
            hourly: part(self.hourly, "hourly")?,
            monthly: part(self.monthly, "monthly")?,
            monthly_is_cap: self.monthly_is_cap,
        })
    }
}

// One shape for all kinds, so that a wrong field is named with its path.
/// What is added to a base price, once, and rounded half-even to nine decimal places.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "SetMarkup")]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkupBody {
    /// `none`, `percent` (with `percent`) or `fixed` (with `hourly` and `monthly`).
    #[schemars(example = &"percent")]
    kind: MarkupKind,
    /// How many percent, from 0 to 10000, as a decimal text.
    #[schemars(regex(pattern = r"^[0-9]{1,5}(\.[0-9]{1,9})?$"), example = &"12.5")]
    percent: Option<String>,
    /// Added to the price of an hour.
    hourly: Option<MoneyBody>,
    /// Added to the price of a month.
    monthly: Option<MoneyBody>,
}

/// How a markup is reckoned.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum MarkupKind {
    /// Nothing is added.
    None,
    /// A part of the base price is added.
    Percent,
    /// Amounts are added.
    Fixed,
}

impl MarkupBody {
    pub(crate) const NONE: Self = Self {
        kind: MarkupKind::None,
        percent: None,
        hourly: None,
        monthly: None,
    };

    pub(crate) fn read(self) -> Result<Markup, ApiError> {
        let given = [
            ("percent", self.percent.is_some(), MarkupKind::Percent),
            ("hourly", self.hourly.is_some(), MarkupKind::Fixed),
            ("monthly", self.monthly.is_some(), MarkupKind::Fixed),
        ];
        for (name, given, kind) in given {
            if given != (kind == self.kind) {
                let message = if given {
                    "does not belong to a markup of this kind"
                } else {
                    "a markup of this kind needs it"
                };
                return Err(ApiError::validation(format!("markup.{name}"), message));
            }
        }
        match (self.percent, self.hourly, self.monthly) {
            (Some(percent), ..) => percent_of(&percent).map(Markup::Percent),
            (None, Some(hourly), Some(monthly)) => {
                let hourly = hourly.read("markup.hourly")?;
                let monthly = monthly.read("markup.monthly")?;
                if hourly.currency != monthly.currency {
                    let message = "both amounts must be in one currency";
                    let field = "markup.monthly.currency".to_owned();
                    return Err(ApiError::validation(field, message));
                }
                Ok(Markup::Fixed { hourly, monthly })
            }
            (None, ..) => Ok(Markup::None),
        }
    }
}

fn percent_of(text: &str) -> Result<Percent, ApiError> {
    plain_decimal(text, PLACES)
        .and_then(Percent::new)
        .ok_or_else(|| {
            let message = "must be a decimal text such as \"12.5\", from 0 to 10000: digits, at \
                           most nine of them after the point, no sign";
            ApiError::validation("markup.percent".to_owned(), message)
        })
}
