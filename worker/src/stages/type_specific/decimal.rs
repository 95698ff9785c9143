//! Exact decimal numbers: money is never added in floats.

use std::cmp::Ordering;
use std::fmt;

/// Digits after the point are never more; longer numbers of spreadsheets are float noise.
const MAX_SCALE: u32 = 8;

/// `units / 10^scale`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Decimal {
    units: i128,
    scale: u32,
}

impl Decimal {
    /// Reads «1 200 000,50», «1200000.5», «-12,3»; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Decimal> {
        let compact: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '\'')
            .map(|c| if c == '−' { '-' } else { c })
            .collect();
        // «1,200.50»: the last of two kinds of marks is the decimal one.
        let decimal_mark = compact.rfind([',', '.']);
        let kinds = compact.contains(',') && compact.contains('.');
        let mut plain = String::with_capacity(compact.len());
        for (place, character) in compact.char_indices() {
            match character {
                ',' | '.' if Some(place) == decimal_mark => plain.push('.'),
                ',' | '.' if kinds => {}
                other => plain.push(other),
            }
        }
        let negative = plain.starts_with('-');
        let digits = plain.trim_start_matches('-');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.chars().all(|c| c.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) || digits.len() > 30 {
            return None;
        }
        let fraction: String = fraction.chars().take(MAX_SCALE as usize).collect();
        let units: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = u32::try_from(fraction.len()).ok()?;
        Some(Decimal { units: if negative { -units } else { units }, scale })
    }

    /// The sum; `None` when it does not fit.
    pub(super) fn add(self, other: Decimal) -> Option<Decimal> {
        let scale = self.scale.max(other.scale);
        let units = self.at(scale)?.checked_add(other.at(scale)?)?;
        Some(Decimal { units, scale })
    }

    /// The difference; `None` when it does not fit.
    pub(super) fn subtract(self, other: Decimal) -> Option<Decimal> {
        self.add(Decimal { units: other.units.checked_neg()?, scale: other.scale })
    }

    /// The product; `None` when it does not fit.
    pub(super) fn multiply(self, other: Decimal) -> Option<Decimal> {
        let units = self.units.checked_mul(other.units)?;
        Some(Decimal { units, scale: self.scale.checked_add(other.scale)? })
    }

    /// Without its sign.
    pub(super) fn absolute(self) -> Decimal {
        Decimal { units: self.units.saturating_abs(), scale: self.scale }
    }

    /// Rounded half away from zero.
    pub(super) fn rounded(self, scale: u32) -> Decimal {
        if self.scale <= scale {
            return self;
        }
        let Some(divisor) = 10i128.checked_pow(self.scale - scale) else {
            return Decimal { units: 0, scale };
        };
        let half = divisor / 2 * self.units.signum();
        let units = self.units.checked_add(half).map_or(self.units / divisor, |sum| sum / divisor);
        Decimal { units, scale }
    }

    /// Whether it is larger than another.
    pub(super) fn exceeds(self, other: Decimal) -> bool {
        self.compare(other) == Some(Ordering::Greater)
    }

    /// As a float, for the store only.
    pub(super) fn to_f64(self) -> Option<f64> {
        self.to_string().parse().ok()
    }

    fn compare(self, other: Decimal) -> Option<Ordering> {
        let scale = self.scale.max(other.scale);
        Some(self.at(scale)?.cmp(&other.at(scale)?))
    }

    fn at(self, scale: u32) -> Option<i128> {
        self.units.checked_mul(10i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }
}

impl fmt::Display for Decimal {
    /// With a point, without zeros at the end.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.units.unsigned_abs().to_string();
        let scale = self.scale as usize;
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let fraction = fraction.trim_end_matches('0');
        let sign = if self.units < 0 { "-" } else { "" };
        if fraction.is_empty() {
            write!(formatter, "{sign}{whole}")
        } else {
            write!(formatter, "{sign}{whole}.{fraction}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn reads_what_estimates_write() {
        for (text, plain) in [
            ("1 200 000,50", "1200000.5"),
            ("1\u{a0}200", "1200"),
            ("1,200.50", "1200.5"),
            ("-0,07", "-0.07"),
            ("12858.400000000001", "12858.4"),
            ("0.42", "0.42"),
        ] {
            assert_eq!(d(text).to_string(), plain, "{text}");
        }
        for text in ["", "-", "м3", "1-2", "12 шт", "1e5", "99999999999999999999999999999999"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn sums_are_exact() {
        let sum = d("0.1").add(d("0.2")).unwrap();
        assert_eq!(sum.to_string(), "0.3");
        assert_eq!(d("0.21").multiply(d("61230.5")).unwrap().to_string(), "12858.405");
        assert_eq!(d("12858.405").rounded(2).to_string(), "12858.41");
        assert_eq!(d("-0.005").rounded(2).to_string(), "-0.01");
        assert!(d("1").subtract(d("3")).unwrap().absolute().exceeds(d("1.99")));
    }

    proptest! {
        #[test]
        fn written_and_read_are_inverse(units in -1_000_000_000_000i64..1_000_000_000_000, scale in 0u32..8) {
            let number = Decimal { units: i128::from(units), scale };
            let again = Decimal::parse(&number.to_string()).unwrap();
            prop_assert_eq!(again.subtract(number).unwrap().to_string(), "0");
        }
    }
}
