//! Dates and times as text.

use super::from_text::Reason;
use super::time::{TIME_MAX_MICROS, ZERO_DATETIME, days_from_date, days_in_month};

const MICROS_A_SECOND: i64 = 1_000_000;
const MICROS_A_DAY: i64 = 86_400 * MICROS_A_SECOND;

/// The parts of a text that holds a date, and perhaps a time of day.
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    /// Nanoseconds since midnight.
    nanos: i64,
}

fn number(text: &str, len: std::ops::RangeInclusive<usize>) -> Option<i64> {
    (len.contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Nanoseconds of `.123…`, digits beyond the ninth dropped.
fn fraction(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|c| c.is_ascii_digit()) {
        return text.is_empty().then_some(0);
    }
    let digits = text.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(digits.fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
}

fn parse(text: &str) -> Option<Parts> {
    let compact = |text: &str| text.len() >= 8 && text.bytes().take(8).all(|c| c.is_ascii_digit());
    let (date, clock) = if compact(text) {
        text.split_at(8)
    } else {
        let end = text.find([' ', 'T']).unwrap_or(text.len());
        text.split_at(end)
    };
    let (year, month, day) = if compact(date) {
        (
            number(&date[..4], 4..=4)?,
            number(&date[4..6], 2..=2)?,
            number(&date[6..], 2..=2)?,
        )
    } else {
        let mut parts = date.splitn(3, ['-', '/']);
        let year = number(parts.next()?, 4..=4)?;
        (
            year,
            number(parts.next()?, 1..=2)?,
            number(parts.next()?, 1..=2)?,
        )
    };
    let nanos = match clock {
        "" => 0,
        clock if compact(date) && !clock.starts_with([' ', 'T']) => {
            let digits = clock.get(..6)?;
            let fraction_text = clock[6..].strip_prefix('.').unwrap_or(&clock[6..]);
            let at = |range: std::ops::Range<usize>| number(&digits[range], 2..=2);
            day_nanos(at(0..2)?, at(2..4)?, at(4..6)?, fraction(fraction_text)?)?
        }
        clock => {
            let clock = clock[1..].strip_suffix('Z').unwrap_or(&clock[1..]);
            let (clock, rest) = clock.split_once('.').unwrap_or((clock, ""));
            let mut parts = clock.splitn(3, ':');
            let hour = number(parts.next()?, 1..=2)?;
            let minute = number(parts.next()?, 1..=2)?;
            let second = parts.next().map_or(Some(0), |text| number(text, 1..=2))?;
            day_nanos(hour, minute, second, fraction(rest)?)?
        }
    };
    Some(Parts {
        year,
        month,
        day,
        nanos,
    })
}

fn day_nanos(hour: i64, minute: i64, second: i64, nanos: i64) -> Option<i64> {
    let valid = hour < 24 && minute < 60 && second < 60;
    valid.then_some(((hour * 60 + minute) * 60 + second) * 1_000_000_000 + nanos)
}

impl Parts {
    fn is_zero(&self) -> bool {
        (self.year, self.month, self.day, self.nanos) == (0, 0, 0, 0)
    }

    fn is_date(&self) -> bool {
        (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
    }
}

/// A date as it is stored: year, month and day in 16, 8 and 8 bits.
pub(crate) fn date(text: &str) -> Result<u32, Reason> {
    let parts = parse(text).ok_or("it is not a date (YYYY-MM-DD)")?;
    if !parts.is_zero() && !parts.is_date() {
        return Err("there is no such date".into());
    }
    let packed = parts.year << 16 | parts.month << 8 | parts.day;
    u32::try_from(packed).map_err(|_| "there is no such date".into())
}

/// Microseconds since 1970 UTC, rounded half up to `precision` digits of a second.
pub(crate) fn datetime(text: &str, precision: u8, timestamp: bool) -> Result<i64, Reason> {
    let parts = parse(text).ok_or("it is not a date and time (YYYY-MM-DD HH:MM:SS)")?;
    if parts.is_zero() {
        return Ok(ZERO_DATETIME);
    }
    if !parts.is_date() {
        return Err("there is no such date".into());
    }
    let unit = 10i64.pow(9 - u32::from(precision.min(6)));
    let nanos = (parts.nanos + unit / 2) / unit * unit;
    let days = days_from_date(parts.year, parts.month, parts.day);
    let micros = days * MICROS_A_DAY + nanos / 1000;
    let (low, high) = if timestamp {
        (MICROS_A_SECOND, 2_147_483_647 * MICROS_A_SECOND + 999_999)
    } else {
        (
            days_from_date(0, 1, 1) * MICROS_A_DAY,
            days_from_date(10_000, 1, 1) * MICROS_A_DAY - 1,
        )
    };
    if micros < low || micros > high {
        return Err(if timestamp {
            "it is outside 1970-01-01 00:00:01 to 2038-01-19 03:14:07".into()
        } else {
            "it is beyond the year 9999".into()
        });
    }
    Ok(micros)
}

/// Signed microseconds of a TIME.
pub(crate) fn time(text: &str) -> Result<i64, Reason> {
    let parse = || {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (clock, rest) = rest.split_once('.').unwrap_or((rest, ""));
        let nanos = fraction(rest)?;
        let (hours, minutes, seconds) = if clock.contains(':') {
            let mut parts = clock.splitn(3, ':');
            let hours = number(parts.next()?, 1..=3)?;
            let minutes = number(parts.next()?, 1..=2)?;
            (
                hours,
                minutes,
                parts.next().map_or(Some(0), |text| number(text, 1..=2))?,
            )
        } else {
            // HHMMSS, with what is missing on the left.
            let value = number(clock, 1..=7)?;
            (value / 10_000, value / 100 % 100, value % 100)
        };
        if minutes > 59 || seconds > 59 {
            return None;
        }
        let micros =
            ((hours * 60 + minutes) * 60 + seconds) * MICROS_A_SECOND + (nanos + 500) / 1000;
        Some(if negative { -micros } else { micros })
    };
    let micros = parse().ok_or("it is not a time (HH:MM:SS)")?;
    if micros.abs() > TIME_MAX_MICROS {
        return Err("it is outside -838:59:59 to 838:59:59".into());
    }
    Ok(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::time::{push_date, push_datetime, push_time};

    fn shown(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn dates_are_taken_as_dolt_takes_them() {
        let read = |text: &str| {
            date(text)
                .ok()
                .map(|packed| shown(|out| push_date(packed, out)))
        };
        for text in [
            "2024-01-02",
            "2024-1-2",
            "2024/01/02",
            "20240102",
            "2024-01-02 03:04:05",
            "2024-01-02T03:04:05Z",
        ] {
            assert_eq!(read(text).as_deref(), Some("2024-01-02"), "{text}");
        }
        assert_eq!(read("0000-00-00").as_deref(), Some("0000-00-00"));
        assert_eq!(read("9999-12-31").as_deref(), Some("9999-12-31"));
        for text in [
            "240102",
            "2024-13-01",
            "2024-02-30",
            "abc",
            "10000-01-01",
            "2024-01-00",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn datetimes_are_rounded_as_dolt_rounds_them() {
        let read = |text: &str, precision| {
            let micros = datetime(text, precision, false).ok()?;
            Some(shown(|out| push_datetime(micros, precision, out)))
        };
        for (text, precision, expected) in [
            ("2024-01-02", 0, "2024-01-02 00:00:00"),
            ("2024-01-02 03:04:05.5", 0, "2024-01-02 03:04:06"),
            ("2024-01-02 03:04:05.4", 0, "2024-01-02 03:04:05"),
            ("2024-01-02 3:4:5", 0, "2024-01-02 03:04:05"),
            ("2024-01-02 03:04", 0, "2024-01-02 03:04:00"),
            ("20240102030405", 0, "2024-01-02 03:04:05"),
            ("2024-01-02T03:04:05.123456789Z", 0, "2024-01-02 03:04:05"),
            (
                "2024-01-02 03:04:05.1234567",
                6,
                "2024-01-02 03:04:05.123457",
            ),
            ("2024-01-02 03:04:05.9999", 3, "2024-01-02 03:04:06.000"),
            ("0000-00-00 00:00:00", 0, "0000-00-00 00:00:00"),
        ] {
            assert_eq!(read(text, precision).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "2024-01-02 24:00:00",
            "2024-01-02 03:04:05+02:00",
            "2024-01-02 03:04:05 UTC",
            "9999-12-31 23:59:59.999999",
            "2024-01-02 03:04:60",
            "2024-01-02 é",
        ] {
            assert_eq!(read(text, 0), None, "{text}");
        }
        assert!(datetime("1970-01-01 00:00:00", 0, true).is_err());
        assert!(datetime("2038-01-19 03:14:08", 0, true).is_err());
        assert_eq!(
            datetime("1970-01-01 00:00:01", 0, true),
            Ok(MICROS_A_SECOND)
        );
    }

    #[test]
    fn times_are_taken_as_dolt_takes_them() {
        let read = |text: &str| {
            time(text)
                .ok()
                .map(|micros| shown(|out| push_time(micros, out)))
        };
        for (text, expected) in [
            ("12:34:56", "12:34:56.000000"),
            ("1:2:3", "01:02:03.000000"),
            ("12:34", "12:34:00.000000"),
            ("123456", "12:34:56.000000"),
            ("12", "00:00:12.000000"),
            ("5.5", "00:00:05.500000"),
            ("-1:00:00", "-01:00:00.000000"),
            ("12:34:56.1234567", "12:34:56.123457"),
            ("-838:59:59", "-838:59:59.000000"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["839:00:00", "abc", "12:60:00", "1 2:3:4", "", "-"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
