//! Markups on prices, by example and against arithmetic by hand.

use jiff::Timestamp;

use super::*;

fn price(hourly: Option<&str>, monthly: Option<&str>) -> Price {
    let money = |it: &str| Money::usd(it.parse().unwrap());
    Price {
        hourly: hourly.map(money),
        monthly: monthly.map(money),
        monthly_is_cap: true,
        source: PriceSource::ProviderApi,
        as_of: Timestamp::from_second(1_795_000_000).unwrap(),
    }
}

fn percent(text: &str) -> Markup {
    Markup::Percent(Percent::new(text.parse().unwrap()).unwrap())
}

fn fixed(hourly: &str, monthly: &str) -> Markup {
    Markup::Fixed {
        hourly: Money::usd(hourly.parse().unwrap()),
        monthly: Money::usd(monthly.parse().unwrap()),
    }
}

fn shown(price: &Price) -> (Option<String>, Option<String>) {
    let text = |it: Option<Money>| it.map(|it| it.amount.to_string());
    (text(price.hourly), text(price.monthly))
}

#[test]
fn the_month_is_the_vendors_month_plus_markup_and_never_so_many_hours() {
    let base = price(Some("0.00744"), Some("5"));
    let with = |it: Markup| shown(&it.apply(&base).unwrap());
    let some = |a: &str, b: &str| (Some(a.to_owned()), Some(b.to_owned()));
    assert_eq!(with(Markup::None), some("0.00744", "5"));
    assert_eq!(with(percent("12.5")), some("0.00837", "5.625"));
    assert_eq!(
        with(percent("33.333333333")),
        some("0.00992", "6.66666666665").rounded()
    );
    assert_eq!(with(fixed("0.001", "0.5")), some("0.00844", "5.5"));
    let sold = percent("12.5").apply(&base).unwrap();
    assert_eq!(sold.source, PriceSource::Operator);
    assert_eq!((sold.as_of, sold.monthly_is_cap), (base.as_of, true));
}

trait Rounded {
    fn rounded(self) -> Self;
}

impl Rounded for (Option<String>, Option<String>) {
    /// Both by the decimal library's own rule.
    fn rounded(self) -> Self {
        let places = |it: String| {
            let exact: Decimal = it.parse().unwrap();
            exact.round_dp(9).normalize().to_string()
        };
        (self.0.map(places), self.1.map(places))
    }
}

#[test]
fn what_is_unknown_stays_unknown_whatever_is_added() {
    for markup in [Markup::None, percent("50"), fixed("1", "2")] {
        let sold = markup.apply(&price(None, Some("5"))).unwrap();
        assert_eq!(sold.hourly, None);
        assert!(sold.monthly.is_some());
        assert_eq!(
            shown(&markup.apply(&price(None, None)).unwrap()),
            (None, None)
        );
    }
}

#[test]
fn a_half_goes_to_the_even_neighbor() {
    // 50 % on an odd number of nano-units ends in a half.
    for (base, sold) in [
        ("0.000000001", "0.000000002"),
        ("0.000000003", "0.000000004"),
        ("0.000000005", "0.000000008"),
        ("0.000000007", "0.00000001"),
    ] {
        let sold_for = percent("50").apply(&price(Some(base), None)).unwrap();
        assert_eq!(shown(&sold_for).0.as_deref(), Some(sold), "{base}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |markup: Markup, base: &Price| markup.apply(base).unwrap_err();
    let most = price(Some("9223372036.854775807"), None);
    assert_eq!(Markup::None.apply(&most).unwrap().hourly, most.hourly);
    assert_eq!(
        refused(percent("0.000000001"), &most),
        MarkupError::OutOfRange
    );
    assert_eq!(
        refused(fixed("0.000000001", "0"), &most),
        MarkupError::OutOfRange
    );
    let fine = price(Some("0.0000000001"), None);
    assert_eq!(refused(Markup::None, &fine), MarkupError::OutOfRange);
    let negative = price(None, Some("-1"));
    assert_eq!(refused(percent("1"), &negative), MarkupError::OutOfRange);
    let mut euros = price(Some("1"), None);
    euros.hourly = Some(Money {
        currency: Currency::Eur,
        ..euros.hourly.unwrap()
    });
    let mixed = MarkupError::Currency {
        markup: Currency::Usd,
        price: Currency::Eur,
    };
    assert_eq!(refused(fixed("1", "1"), &euros), mixed);
    for percent in [
        "-0.1",
        "10000.000000001",
        "0.0000000001",
        "79228162514264337593543950335",
    ] {
        assert_eq!(Percent::new(percent.parse().unwrap()), None, "{percent}");
    }
    assert_eq!(
        Percent::new("12.50".parse().unwrap()).unwrap().to_string(),
        "12.5"
    );
}

/// Whole numbers of any length, by the schoolbook: digits of base ten, the lowest first.
mod by_hand {
    pub(super) fn digits(mut value: u128) -> Vec<u8> {
        let mut digits = Vec::new();
        while value > 0 {
            digits.push(u8::try_from(value % 10).unwrap());
            value /= 10;
        }
        digits
    }

    pub(super) fn times(a: &[u8], b: &[u8]) -> Vec<u8> {
        let mut sums = vec![0_u32; a.len() + b.len() + 1];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                sums[i + j] += u32::from(*x) * u32::from(*y);
            }
        }
        for at in 0..sums.len() - 1 {
            let carry = sums[at] / 10;
            sums[at] %= 10;
            sums[at + 1] += carry;
        }
        sums.into_iter()
            .map(|it| u8::try_from(it).unwrap())
            .collect()
    }

    /// Cuts the last `places` digits off and rounds a half to the even neighbor.
    pub(super) fn cut(digits: &[u8], places: usize) -> Vec<u8> {
        let mut kept = digits.get(places..).unwrap_or_default().to_vec();
        kept.push(0);
        let rest: Vec<u8> = (0..places)
            .map(|it| digits.get(it).copied().unwrap_or(0))
            .collect();
        let lower_is_zero = rest[..places - 1].iter().all(|it| *it == 0);
        let up = match rest[places - 1] {
            0..=4 => false,
            5 if lower_is_zero => kept[0] % 2 == 1,
            _ => true,
        };
        let mut at = 0;
        while up && at < kept.len() {
            if kept[at] < 9 {
                kept[at] += 1;
                break;
            }
            kept[at] = 0;
            at += 1;
        }
        kept
    }

    pub(super) fn text(digits: &[u8]) -> String {
        let text: String = digits
            .iter()
            .rev()
            .map(|it| char::from(b'0' + it))
            .collect();
        let trimmed = text.trim_start_matches('0');
        if trimmed.is_empty() {
            "0".to_owned()
        } else {
            trimmed.to_owned()
        }
    }
}

/// The same numbers in every run.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Small and large numbers alike often.
    fn up_to(&mut self, most: u64) -> u64 {
        let shift = self.next() % 64;
        (self.next() >> shift) % (most + 1)
    }
}

#[test]
fn a_hundred_thousand_prices_agree_with_arithmetic_by_hand() {
    let mut seeded = Seeded(0x9E37_79B9_7F4A_7C15);
    let most = u64::try_from(i64::MAX).unwrap();
    let (mut halves, mut overflows) = (0, 0);
    for _ in 0..100_000 {
        let base = seeded.up_to(most);
        let part = match seeded.next() % 4 {
            // Percentages as people write them, whose products often end in a half.
            0 => seeded.next() % 1_000 * 500_000_000,
            _ => seeded.up_to(u64::try_from(MOST_PERCENT).unwrap()),
        };
        let product = by_hand::times(
            &by_hand::digits(base.into()),
            &by_hand::digits(u128::from(part) + 100_000_000_000),
        );
        let lower = &product.get(..11).unwrap_or(&product);
        if lower.len() == 11 && lower[10] == 5 && lower[..10].iter().all(|it| *it == 0) {
            halves += 1;
        }
        let expected = by_hand::text(&by_hand::cut(&product, 11));

        let markup = Markup::Percent(Percent::from_nanos(part.try_into().unwrap()).unwrap());
        let mut base_price = price(None, None);
        base_price.hourly = Some(Money::from_nanos(base.try_into().unwrap(), Currency::Usd));
        match markup.apply(&base_price) {
            Ok(sold) => {
                let nanos = sold.hourly.unwrap().nanos().unwrap().to_string();
                assert_eq!(nanos, expected, "{base} + {part}");
            }
            Err(MarkupError::OutOfRange) => {
                overflows += 1;
                let fits = expected.len() < 19
                    || (expected.len() == 19 && expected.as_str() <= "9223372036854775807");
                assert!(!fits, "{base} + {part}: {expected}");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(
        halves > 100 && overflows > 100,
        "{halves} halves, {overflows} overflows"
    );
}
