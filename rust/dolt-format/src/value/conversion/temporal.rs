//! Conversions to dates and times, as `gms/sql/types/datetime.go` and `time.go` have them.

use super::number;
use super::old_value::Old;
use crate::value::from_text::Reason;
use crate::value::time::{
    MICROS_A_SECOND, SECONDS_A_DAY, TIME_MAX_MICROS, ZERO_DATETIME, date_from_days, push_datetime,
};
use crate::value::time_text;

const MICROS_A_DAY: i64 = SECONDS_A_DAY * MICROS_A_SECOND;
/// The last microsecond of the year 9999.
const DATETIME_LAST: i64 = 253_402_300_799_999_999;
const TIMESTAMP_LAST: i64 = 2_147_483_647 * MICROS_A_SECOND + 999_999;

fn no_date() -> Reason {
    "dolt does not take it for a date".into()
}

/// The value as microseconds since 1970.
fn instant(old: &Old<'_>, precision: u8, timestamp: bool) -> Result<i64, Reason> {
    let text = match old {
        Old::Date(micros) | Old::Datetime(micros) => return Ok(*micros),
        Old::Text(text) => text,
        Old::Bytes(bytes) => std::str::from_utf8(bytes).map_err(|_| no_date())?,
        // Of the numbers 0 only is a date.
        Old::Float(value) if *value == 0.0 => return Ok(ZERO_DATETIME),
        Old::Double(value) if *value == 0.0 => return Ok(ZERO_DATETIME),
        Old::Decimal(text) if text.bytes().all(|byte| b"0.-".contains(&byte)) => {
            return Ok(ZERO_DATETIME);
        }
        Old::Int(0) | Old::Bits(0) | Old::Year(0) | Old::Member(_, 0) | Old::Set(_, 0) => {
            return Ok(ZERO_DATETIME);
        }
        _ => return Err(no_date()),
    };
    check_year(text)?;
    time_text::datetime(text, precision, timestamp)
}

/// Only the date `0-0-0` has a year of fewer than four digits.
fn check_year(text: &str) -> Result<(), Reason> {
    let is_short = text.find('-').is_some_and(|at| at < 4);
    if is_short && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        return Err(no_date());
    }
    Ok(())
}

/// A date as it is stored.
pub(super) fn date(old: &Old<'_>) -> Result<u32, Reason> {
    let text = match old {
        Old::Text(text) => Some(*text),
        Old::Bytes(bytes) => Some(std::str::from_utf8(bytes).map_err(|_| no_date())?),
        _ => None,
    };
    if let Some(text) = text {
        check_year(text)?;
        return time_text::date(text);
    }
    let micros = instant(old, 6, false)?;
    if micros == ZERO_DATETIME {
        return Ok(0);
    }
    let (year, month, day) = date_from_days(micros.div_euclid(MICROS_A_DAY));
    u32::try_from(year << 16 | month << 8 | day).map_err(|_| no_date())
}

/// A date and time as it is stored: rounded half up.
pub(super) fn datetime(old: &Old<'_>, precision: u8, timestamp: bool) -> Result<i64, Reason> {
    let micros = instant(old, precision, timestamp)?;
    if micros == ZERO_DATETIME {
        return Ok(micros);
    }
    let unit = 10i64.pow(6 - u32::from(precision.min(6)));
    let micros = (micros + unit / 2).div_euclid(unit) * unit;
    let (last, name) = if timestamp {
        (TIMESTAMP_LAST, "1970-01-01 00:00:01 to 2038-01-19 03:14:07")
    } else {
        (DATETIME_LAST, "the years 0 to 9999")
    };
    if micros > last || (timestamp && micros < MICROS_A_SECOND) {
        return Err(format!("it is outside {name}").into());
    }
    Ok(micros)
}

/// Signed microseconds of a TIME.
pub(super) fn time(old: &Old<'_>) -> Result<i64, Reason> {
    let no_time = || Reason::from("dolt does not take it for a time");
    match old {
        // What has no digits is 0, as for other numbers.
        Old::Text("" | "-") => Ok(0),
        Old::Text(text) => time_text::time(text),
        Old::Date(micros) | Old::Datetime(micros) => Ok(micros.rem_euclid(MICROS_A_DAY)),
        Old::Float(value) => clock_of_double(f64::from(*value)).ok_or_else(no_time),
        Old::Double(value) => clock_of_double(*value).ok_or_else(no_time),
        Old::Int(_)
        | Old::Bits(_)
        | Old::Year(_)
        | Old::Decimal(_)
        | Old::Member(..)
        | Old::Set(..) => {
            let value = number::truncated(old).ok_or_else(no_time)?;
            clock(value, 0).ok_or_else(no_time)
        }
        _ => Err(no_time()),
    }
}

/// Hours, minutes and seconds in two digits each.
fn clock(value: i128, micros: i64) -> Option<i64> {
    let digits = i64::try_from(value.unsigned_abs()).ok()?;
    let (hours, minutes, seconds) = match digits {
        0..=59 => (0, 0, digits),
        100..=9_999_999 => (digits / 10_000, digits / 100 % 100, digits % 100),
        _ => return None,
    };
    if minutes > 59 || seconds > 59 {
        return None;
    }
    let micros = ((hours * 60 + minutes) * 60 + seconds) * MICROS_A_SECOND + micros;
    let micros = micros.min(TIME_MAX_MICROS);
    Some(if value < 0 { -micros } else { micros })
}

fn clock_of_double(value: f64) -> Option<i64> {
    if value.abs() > 1e7 {
        return None;
    }
    let fraction = (value.fract() * MICROS_A_SECOND as f64).round().abs() as i64;
    let micros = clock(value.abs().trunc() as i128, fraction)?;
    Some(if value < 0.0 { -micros } else { micros })
}

/// The year.
pub(super) fn year_of(micros: i64) -> i64 {
    if micros == ZERO_DATETIME {
        return -1;
    }
    date_from_days(micros.div_euclid(MICROS_A_DAY)).0
}

/// Appends date and time, with the digits of the second's fraction that are not 0 at the end. Go
/// has no date `0000-00-00`: it is the last day of November of the year before.
pub(super) fn push_full(micros: i64, out: &mut Vec<u8>) {
    if micros == ZERO_DATETIME {
        out.extend_from_slice(b"-0001-11-30 00:00:00");
        return;
    }
    let start = out.len();
    push_datetime(micros, 6, out);
    trim_fraction(start, out);
}

fn trim_fraction(start: usize, out: &mut Vec<u8>) {
    let text = out.get(start..).unwrap_or_default();
    if text.contains(&b'.') {
        while out.last() == Some(&b'0') {
            out.pop();
        }
        if out.last() == Some(&b'.') {
            out.pop();
        }
    }
}

/// As Go writes it in JSON.
pub(super) fn of_go(micros: i64) -> String {
    let mut out = Vec::new();
    push_full(micros, &mut out);
    String::from_utf8_lossy(&out).replacen(' ', "T", 1) + "Z"
}
