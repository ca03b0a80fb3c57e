//! Decimal text: exact parsing, rounding half away from zero, and the stored field.

use num_bigint::BigUint;

use super::from_text::Reason;
use super::number::DECIMAL_NAN;

/// Digits beyond which a number is refused: far above any column's 65.
const DIGITS_MAX: usize = 400;

/// A number as it stands in text: sign, digits, and how many of them are behind the point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    scale: i64,
}

impl Decimal {
    /// A number with optional sign, point and exponent.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let plausible = !digits.is_empty() && digits.len() <= DIGITS_MAX;
        if !plausible || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let scale = fraction.len() as i64 - i64::from(exponent);
        (scale.unsigned_abs() <= DIGITS_MAX as u64).then_some(Self {
            negative,
            digits,
            scale,
        })
    }

    /// Whether it is below zero.
    pub(crate) fn is_negative(&self) -> bool {
        self.negative && self.digits.iter().any(|digit| *digit != b'0')
    }

    /// The whole number, rounded half away from zero; `None` beyond 128 bits.
    pub(crate) fn rounded(&self) -> Option<i128> {
        let digits = String::from_utf8(self.scaled(0)).ok()?;
        let value: i128 = if digits.is_empty() {
            0
        } else {
            digits.parse().ok()?
        };
        Some(if self.negative { -value } else { value })
    }

    /// The digits of the value times 10^`scale`, rounded half away from zero.
    fn scaled(&self, scale: i64) -> Vec<u8> {
        let mut digits = self.digits.clone();
        let drop = self.scale - scale;
        if drop <= 0 {
            digits.resize(digits.len() + drop.unsigned_abs() as usize, b'0');
            return digits;
        }
        let drop = drop as usize;
        let keep = digits.len().checked_sub(drop);
        let next = keep
            .and_then(|keep| digits.get(keep))
            .copied()
            .unwrap_or(b'0');
        digits.truncate(keep.unwrap_or(0));
        if next >= b'5' {
            for digit in digits.iter_mut().rev() {
                if *digit < b'9' {
                    *digit += 1;
                    return digits;
                }
                *digit = b'0';
            }
            digits.insert(0, b'1');
        }
        digits
    }
}

/// Appends the field of a `decimal(precision, scale)`: exponent, sign, coefficient in words.
pub(crate) fn push_decimal_field(
    text: &str,
    precision: u8,
    scale: u8,
    out: &mut Vec<u8>,
) -> Result<(), Reason> {
    if text.eq_ignore_ascii_case("nan") {
        out.extend_from_slice(&DECIMAL_NAN.to_le_bytes());
        return Ok(());
    }
    let number = Decimal::parse(text).ok_or("it is not a number")?;
    let digits = number.scaled(i64::from(scale));
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let significant = &digits[zeros..];
    if significant.len() > usize::from(precision) {
        return Err(format!(
            "it has more than the {} digits that DECIMAL({precision},{scale}) has before the point",
            precision.saturating_sub(scale)
        )
        .into());
    }
    out.extend_from_slice(&(-i32::from(scale)).to_le_bytes());
    if significant.is_empty() {
        out.push(0);
        return Ok(());
    }
    out.push(if number.negative { 0xff } else { 1 });
    let coefficient = BigUint::parse_bytes(significant, 10)
        .unwrap_or_default()
        .to_bytes_be();
    let padded = coefficient.len().next_multiple_of(8);
    out.resize(out.len() + padded - coefficient.len(), 0);
    out.extend_from_slice(&coefficient);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::number::push_decimal;

    #[test]
    fn decimals_are_rounded_and_stored() {
        let round_trip = |text: &str| {
            let mut field = Vec::new();
            push_decimal_field(text, 5, 2, &mut field).ok()?;
            let mut shown = Vec::new();
            push_decimal(&field, &mut shown).then(|| String::from_utf8(shown).expect("ASCII"))
        };
        for (text, shown) in [
            ("nan", "NaN"),
            ("1", "1.00"),
            ("1.005", "1.01"),
            ("1.004", "1.00"),
            ("-.5", "-0.50"),
            ("+1.", "1.00"),
            ("-0", "0.00"),
            ("1e2", "100.00"),
            ("999.99", "999.99"),
            ("0.001", "0.00"),
            ("-0.006", "-0.01"),
            ("0.996", "1.00"),
        ] {
            assert_eq!(round_trip(text).as_deref(), Some(shown), "{text}");
        }
        for text in ["999.995", "1000", "abc", "", ".", "1e", "1e9999", "0x1"] {
            assert_eq!(round_trip(text), None, "{text}");
        }
    }
}
