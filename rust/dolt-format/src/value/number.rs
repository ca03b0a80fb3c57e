//! Numbers as Dolt prints them.

use std::io::Write as _;

use num_bigint::BigUint;

use super::digits::push_u64;

/// Appends a float as Go's `strconv` does with format `g` and the shortest digits.
pub(crate) fn push_float(value: f64, single: bool, out: &mut Vec<u8>) {
    if !value.is_finite() {
        let text = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut buffer = [0u8; SHORTEST_LEN];
    let text = shortest(value, single, &mut buffer);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    // With the shortest digits, Go decides as if six were asked for.
    if (-4..6).contains(&exponent) {
        push_plain(mantissa, exponent, out);
    } else {
        out.extend_from_slice(mantissa.as_bytes());
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
    }
}

/// Bytes that the shortest digits of a float fit in, in exponent form.
const SHORTEST_LEN: usize = 32;

/// The fewest digits that read back the same, in exponent form; of two equally near ones the even
/// one, as Go has it.
fn shortest(value: f64, single: bool, buffer: &mut [u8; SHORTEST_LEN]) -> &str {
    let mut rounded = [0u8; SHORTEST_LEN];
    let len = if single {
        write_to(buffer, format_args!("{:e}", value as f32))
    } else {
        write_to(buffer, format_args!("{value:e}"))
    };
    let digits = buffer[..len]
        .iter()
        .take_while(|byte| **byte != b'e')
        .filter(|byte| byte.is_ascii_digit())
        .count();
    // Rust rounds a tie up. Fewer digits than these never tie: the value would itself be a decimal
    // of one digit more, and so few digits tell all floats apart.
    if digits >= if single { 6 } else { 15 } {
        // With a precision given, ties go to even.
        let places = digits - 1;
        let len = if single {
            write_to(&mut rounded, format_args!("{:.places$e}", value as f32))
        } else {
            write_to(&mut rounded, format_args!("{value:.places$e}"))
        };
        let text = std::str::from_utf8(&rounded[..len]).unwrap_or_default();
        let reads_back = if single {
            text.parse() == Ok(value as f32)
        } else {
            text.parse() == Ok(value)
        };
        // Trailing zeros would mean that fewer digits do.
        if reads_back && !text.contains("0e") {
            *buffer = rounded;
            return std::str::from_utf8(&buffer[..len]).unwrap_or_default();
        }
    }
    std::str::from_utf8(&buffer[..len]).unwrap_or_default()
}

fn write_to(buffer: &mut [u8; SHORTEST_LEN], text: std::fmt::Arguments<'_>) -> usize {
    let mut cursor = std::io::Cursor::new(&mut buffer[..]);
    // 17 digits, sign, point and exponent fit, so writing cannot fail.
    let _ = cursor.write_fmt(text);
    usize::try_from(cursor.position()).unwrap_or_default()
}

/// Appends a float as Go's `strconv` does with format `f` and the shortest digits.
pub(crate) fn push_plain_float(value: f64, out: &mut Vec<u8>) {
    let mut buffer = [0u8; SHORTEST_LEN];
    let text = shortest(value, false, &mut buffer);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    push_plain(mantissa, exponent, out);
}

/// Appends digits (with sign and point behind the first) times ten to the exponent, in full.
fn push_plain(mantissa: &str, exponent: i32, out: &mut Vec<u8>) {
    if mantissa.starts_with('-') {
        out.push(b'-');
    }
    let digits = mantissa.bytes().filter(u8::is_ascii_digit);
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (exponent.unsigned_abs() as usize - 1), b'0');
        out.extend(digits);
        return;
    }
    let whole = exponent as usize + 1;
    let mut count = 0;
    for digit in digits {
        if count == whole {
            out.push(b'.');
        }
        out.push(digit);
        count += 1;
    }
    out.resize(out.len() + whole.saturating_sub(count), b'0');
}

/// What is stored alone for a decimal that is no number.
pub(crate) const DECIMAL_NAN: i32 = 0xc000;
/// The same for the infinity below all numbers.
pub(crate) const DECIMAL_LOWEST: i32 = 0xf000;

/// A decimal of four bytes is no number.
fn special_decimal(field: [u8; 4]) -> Option<&'static [u8]> {
    match i32::from_le_bytes(field) {
        DECIMAL_NAN => Some(b"NaN"),
        0xd000 => Some(b"Infinity"),
        DECIMAL_LOWEST => Some(b"-Infinity"),
        _ => None,
    }
}

/// A decimal field: sign, digits, exponent. `None` when the field is none, or no number.
pub(crate) fn split_decimal(field: &[u8]) -> Option<(bool, String, i64)> {
    let (exponent, rest) = field.split_first_chunk::<4>()?;
    let (sign, coefficient) = rest.split_first()?;
    let exponent = i64::from(i32::from_le_bytes(*exponent));
    // A stored exponent is the column's scale; anything far off would print endless zeros.
    if !(-65..=65).contains(&exponent) || coefficient.len() > 64 {
        return None;
    }
    let digits = match coefficient.len() {
        0..=16 => {
            let value = coefficient
                .iter()
                .fold(0u128, |v, byte| v << 8 | u128::from(*byte));
            value.to_string()
        }
        _ => BigUint::from_bytes_be(coefficient).to_string(),
    };
    Some((*sign == 0xff, digits, exponent))
}

/// Appends a decimal field (exponent, sign, coefficient); false when the field is no decimal.
///
/// The digits behind the point are those of the field: dolt stores `1e2` without the column's.
pub(crate) fn push_decimal(field: &[u8], out: &mut Vec<u8>) -> bool {
    if let Some(name) = field.try_into().ok().and_then(special_decimal) {
        out.extend_from_slice(name);
        return true;
    }
    let Some((negative, mut digits, exponent)) = split_decimal(field) else {
        return false;
    };
    for _ in 0..exponent {
        digits.push('0');
    }
    let scale = usize::try_from(-exponent).unwrap_or(0);
    if negative {
        out.push(b'-');
    }
    let padding = (scale + 1).saturating_sub(digits.len());
    let digits: Vec<u8> = std::iter::repeat_n(b'0', padding)
        .chain(digits.bytes())
        .collect();
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    out.extend_from_slice(whole);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
    true
}

/// Appends a signed integer.
pub(crate) fn push_i64(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    push_u64(value.unsigned_abs(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_as_go_prints_them() {
        let print = |value: f64| {
            let mut out = Vec::new();
            push_float(value, false, &mut out);
            String::from_utf8(out).expect("ASCII")
        };
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (12.25, "12.25"),
            // Ties between two shortest texts go to the even digit.
            (2f64.powi(-25), "2.9802322387695312e-08"),
            (2f64.powi(50) + 0.25, "1.1258999068426242e+15"),
            (2f64.powi(50) + 0.75, "1.1258999068426248e+15"),
        ] {
            assert_eq!(print(value), text);
        }
        let mut out = Vec::new();
        push_float(f64::from(3.4e38f32), true, &mut out);
        assert_eq!(out, b"3.4e+38");
        out.clear();
        push_float(-53_505.5 - 0.0625, true, &mut out);
        assert_eq!(out, b"-53505.562");
        out.clear();
        push_plain_float(2f64.powi(50) + 0.25, &mut out);
        assert_eq!(out, b"1125899906842624.2");
    }

    #[test]
    fn plain_floats_are_printed_in_full() {
        for value in [
            0.0,
            -0.0,
            1.0,
            -1.5,
            1e-6,
            123_456.789,
            1e20,
            9_007_199_254_740_993.0,
            -0.000_123,
        ] {
            let mut out = Vec::new();
            push_plain_float(value, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), value.to_string());
        }
    }
}
