//! `Decimal`: exact decimals, with go-mysql-server's rules for digits behind the point.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};

/// A number and how many of its digits stand behind the point.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decimal {
    digits: BigInt,
    scale: u32,
    /// Whether it is a zero that Dolt's arithmetic leaves with a minus sign.
    negative_zero: bool,
}

/// Digits behind the point that a comparison looks at.
const COMPARED_SCALE: u32 = 30;
/// Digits before the point that a comparison bears.
const COMPARED_WHOLE: u32 = 35;

fn ten_to(exponent: u32) -> BigInt {
    BigInt::from(10u8).pow(exponent)
}

impl Decimal {
    pub(super) fn of_integer(value: i128) -> Self {
        Self {
            digits: BigInt::from(value),
            ..Self::default()
        }
    }

    /// Digits with an optional sign and point.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{fraction}");
        let bare = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
        if bare.is_empty() || !bare.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            digits: digits.parse().ok()?,
            scale: u32::try_from(fraction.len()).ok()?,
            negative_zero: false,
        })
    }

    /// The fewest digits that tell `value` from other doubles; `None` for infinities.
    pub(super) fn of_double(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let mantissa = Self::parse(mantissa)?;
        let exponent: i32 = exponent.parse().ok()?;
        let scale = i64::from(mantissa.scale) - i64::from(exponent);
        Some(if scale >= 0 {
            Self {
                scale: u32::try_from(scale).ok()?,
                ..mantissa
            }
        } else {
            let digits = mantissa.digits * ten_to(u32::try_from(-scale).ok()?);
            Self {
                digits,
                ..Self::default()
            }
        })
    }

    /// A stored field: exponent, sign, coefficient.
    pub(super) fn of_field(field: &[u8]) -> Option<Self> {
        let (exponent, rest) = field.split_first_chunk::<4>()?;
        let (sign, coefficient) = rest.split_first()?;
        let exponent = i32::from_le_bytes(*exponent);
        let scale = u32::try_from(exponent.checked_neg()?).ok()?;
        if scale > 65 || coefficient.len() > 64 {
            return None;
        }
        let sign = match sign {
            0xff => Sign::Minus,
            _ => Sign::Plus,
        };
        let digits = BigInt::from_biguint(sign, BigUint::from_bytes_be(coefficient));
        Some(Self {
            digits,
            scale,
            negative_zero: false,
        })
    }

    fn is_negative(&self) -> bool {
        self.digits.sign() == Sign::Minus || self.negative_zero
    }

    /// Whether it is a zero with a minus sign.
    pub(super) const fn is_negative_zero(&self) -> bool {
        self.negative_zero
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.sign() == Sign::NoSign
    }

    pub(super) const fn scale(&self) -> u32 {
        self.scale
    }

    fn digit_count(&self) -> u32 {
        self.digits.magnitude().to_string().len() as u32
    }

    fn digits_at(&self, scale: u32) -> BigInt {
        &self.digits * ten_to(scale.saturating_sub(self.scale))
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self {
            digits: self.digits_at(scale) + other.digits_at(scale),
            scale,
            negative_zero: false,
        }
    }

    pub(super) fn negated(&self) -> Self {
        Self {
            digits: -&self.digits,
            scale: self.scale,
            negative_zero: false,
        }
    }

    pub(super) fn absolute(&self) -> Self {
        Self {
            digits: self.digits.magnitude().clone().into(),
            scale: self.scale,
            negative_zero: false,
        }
    }

    pub(super) fn multiply(&self, other: &Self) -> Self {
        Self {
            digits: &self.digits * &other.digits,
            scale: self.scale + other.scale,
            negative_zero: (self.is_zero() || other.is_zero())
                && self.is_negative() != other.is_negative(),
        }
    }

    /// The remainder, with the sign of `self`; `None` for a divisor of 0.
    pub(super) fn remainder(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let scale = self.scale.max(other.scale);
        let digits = self.digits_at(scale) % other.digits_at(scale);
        Some(Self {
            negative_zero: digits.sign() == Sign::NoSign && self.is_negative(),
            digits,
            scale,
        })
    }

    /// The quotient cut to `scale` digits behind the point. Like Dolt, it first rounds to as many
    /// significant digits as the operands suggest (go-mysql-server: `types/decimal.go`,
    /// `DecimalDiv`). `None` for a divisor of 0.
    pub(super) fn divide(&self, other: &Self, scale: u32) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let precision = self.digit_count() + other.scale + scale + 2;
        // Enough digits for the precision wanted, whatever the operands, and one to round by.
        let shift = precision + other.digit_count() + other.scale + 1;
        let numerator = self.digits_at(self.scale) * ten_to(shift);
        let quotient = Self {
            digits: numerator / &other.digits,
            scale: (self.scale + shift).checked_sub(other.scale)?,
            negative_zero: false,
        };
        let surplus = quotient.digit_count().saturating_sub(precision);
        let kept = quotient.scale.saturating_sub(surplus);
        let rounded = if kept >= scale {
            quotient.rounded(kept)
        } else {
            quotient
        };
        Some(rounded.truncated(scale))
    }

    /// With exactly `scale` digits behind the point, half away from zero.
    pub(super) fn rounded(&self, scale: u32) -> Self {
        let Some(drop) = self.scale.checked_sub(scale).filter(|drop| *drop > 0) else {
            return Self {
                digits: self.digits_at(scale),
                scale: scale.max(self.scale),
                negative_zero: self.negative_zero,
            };
        };
        let unit = ten_to(drop);
        let half: BigInt = &unit / 2;
        let magnitude: BigInt = self.digits.magnitude().clone().into();
        let digits = (magnitude + half) / unit;
        Self {
            negative_zero: digits.sign() == Sign::NoSign && self.is_negative(),
            digits: if self.is_negative() { -digits } else { digits },
            scale,
        }
    }

    fn truncated(&self, scale: u32) -> Self {
        let drop = self.scale.saturating_sub(scale);
        let digits = &self.digits / ten_to(drop);
        if digits.sign() == Sign::NoSign {
            return Self::of_integer(0);
        }
        Self {
            digits,
            scale: self.scale - drop,
            negative_zero: false,
        }
        .rounded(scale)
    }

    /// The integer it is when the fraction is cut off; `None` beyond 64 bits with a sign.
    pub(super) fn whole(&self) -> Option<i128> {
        let whole: i64 = self.truncated(0).digits.try_into().ok()?;
        Some(whole.into())
    }

    /// `None` where Dolt would compare something else than these numbers.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        let fits =
            |value: &Self| value.digit_count() <= value.scale + COMPARED_WHOLE || value.is_zero();
        if !fits(self) || !fits(other) {
            return None;
        }
        let comparable = |value: &Self| value.rounded(value.scale.min(COMPARED_SCALE));
        let (left, right) = (comparable(self), comparable(other));
        let scale = left.scale.max(right.scale);
        Some(left.digits_at(scale).cmp(&right.digits_at(scale)))
    }

    pub(super) fn to_double(&self) -> f64 {
        self.text().parse().unwrap_or(f64::NAN)
    }

    /// All its digits.
    pub(super) fn text(&self) -> String {
        let digits = self.digits.magnitude().to_string();
        let scale = self.scale as usize;
        let sign = if self.digits.sign() == Sign::Minus {
            "-"
        } else {
            ""
        };
        if scale == 0 {
            return format!("{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        format!("{sign}{whole}.{fraction}")
    }
}
