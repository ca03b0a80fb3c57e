//! Numbers as Dolt prints them.

use std::io::Write as _;

use num_bigint::BigUint;

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
    let mut shortest = [0u8; 64];
    let mut cursor = std::io::Cursor::new(&mut shortest[..]);
    // The shortest digits fit 64 bytes in exponent form, so writing cannot fail.
    let _ = if single {
        write!(cursor, "{:e}", value as f32)
    } else {
        write!(cursor, "{value:e}")
    };
    let len = usize::try_from(cursor.position()).unwrap_or_default();
    let text = std::str::from_utf8(&shortest[..len]).unwrap_or_default();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    if negative {
        out.push(b'-');
    }
    let digits = mantissa.bytes().filter(u8::is_ascii_digit);
    // With the shortest digits, Go decides as if six were asked for.
    if !(-4..6).contains(&exponent) {
        out.extend_from_slice(mantissa.as_bytes());
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
        return;
    }
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

/// Appends a decimal field (exponent, sign, coefficient) with `scale` digits behind the point;
/// false when the field is no decimal.
pub(crate) fn push_decimal(field: &[u8], scale: u8, out: &mut Vec<u8>) -> bool {
    let Some((exponent, rest)) = field.split_first_chunk::<4>() else {
        return false;
    };
    let Some((sign, coefficient)) = rest.split_first() else {
        return false;
    };
    let exponent = i64::from(i32::from_le_bytes(*exponent));
    // A stored exponent is the column's scale; anything far off would print endless zeros.
    if !(-65..=65).contains(&exponent) || coefficient.len() > 64 {
        return false;
    }
    let mut digits = match coefficient.len() {
        0..=16 => {
            let value = coefficient
                .iter()
                .fold(0u128, |v, byte| v << 8 | u128::from(*byte));
            value.to_string()
        }
        _ => BigUint::from_bytes_be(coefficient).to_string(),
    };
    let scale = i64::from(scale);
    for _ in 0..exponent + scale {
        digits.push('0');
    }
    for _ in exponent + scale..0 {
        if digits.pop().is_some_and(|digit| digit != '0') {
            return false;
        }
    }
    let scale = scale as usize;
    if *sign == 0xff {
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

/// Appends an unsigned integer.
pub(crate) fn push_u64(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
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
        ] {
            assert_eq!(print(value), text);
        }
        let mut out = Vec::new();
        push_float(f64::from(3.4e38f32), true, &mut out);
        assert_eq!(out, b"3.4e+38");
    }
}
