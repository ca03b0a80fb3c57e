//! Dates and times as text.

use super::from_text::Reason;
use super::time::{TIME_MAX_MICROS, ZERO_DATETIME, date_from_days, days_from_date, days_in_month};

const MICROS_A_SECOND: i64 = 1_000_000;
const MICROS_A_DAY: i64 = 86_400 * MICROS_A_SECOND;

/// What dolt takes for a date, and a date and time (`gms/sql/types/datetime.go`,
/// `TimestampDatetimeLayouts`): `Y` a year of four digits, `M D I S` two digits each, `m d h i s`
/// one or two, `f` a fraction of a second where there is one, `z` `+02:00` or `Z`, `n` `+0200 CEST`,
/// a space any number of them. The last two are what dolt shows of a year below 1000 and does not
/// read; `y` is such a year, of one or three digits: one of two could mean anything.
const LAYOUTS: [&str; 14] = [
    "Y-m-d",
    "Y-m-d h:i:sf",
    "Y-M-DTh:I:Sfz",
    "Y-M-DTh:I:Sf",
    "Y/M/D",
    "YMD",
    "YMDhISf",
    "Y-M-D h:i",
    "Y-M-D h:I:",
    "Y-M-D h:I:S.",
    "Y-m-d:h:i:sf",
    "Y-M-D h:I:Sf n",
    "y-M-D",
    "y-M-D h:I:Sf",
];

/// The parts of a text that holds a date, and perhaps a time of day.
#[derive(Default)]
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    /// Seconds east of UTC.
    zone: i64,
}

/// Takes a number of that many digits off the start of `rest`.
fn number(rest: &mut &str, len: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let digits = rest.bytes().take(*len.end());
    let count = digits.take_while(u8::is_ascii_digit).count();
    let (digits, behind) = rest.split_at(count);
    *rest = behind;
    len.contains(&count).then(|| digits.parse().ok()).flatten()
}

/// Takes nanoseconds off the start: `.123…`, digits beyond the ninth dropped.
fn fraction(rest: &mut &str) -> i64 {
    let digits = rest.strip_prefix(['.', ',']).unwrap_or_default();
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, behind) = digits.split_at(count);
    if count > 0 {
        *rest = behind;
    }
    let digits = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    digits.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))
}

/// Takes an offset off the start.
fn zone(rest: &mut &str, colon: &str) -> Option<i64> {
    let east = rest.starts_with('+');
    *rest = rest.strip_prefix(['+', '-'])?;
    let hours = number(rest, 2..=2)?;
    *rest = rest.strip_prefix(colon)?;
    let minutes = number(rest, 2..=2)?;
    let seconds = (hours * 60 + minutes) * 60;
    (hours <= 24 && minutes < 60).then_some(if east { seconds } else { -seconds })
}

/// Whether Go takes it for the name of a zone.
fn is_zone_name(name: &str) -> bool {
    name.bytes().all(|c| c.is_ascii_uppercase())
        && (name.len() == 3 || matches!(name.len(), 4 | 5) && name.ends_with('T'))
}

impl Parts {
    fn parse(text: &str) -> Option<Self> {
        let mut layouts = LAYOUTS.iter();
        layouts.find_map(|layout| Self::parse_as(layout, text))
    }

    fn parse_as(layout: &str, text: &str) -> Option<Self> {
        let mut parts = Self::default();
        let mut rest = text;
        for token in layout.chars() {
            match token {
                'Y' => parts.year = number(&mut rest, 4..=4)?,
                'y' => {
                    parts.year = number(&mut rest, 1..=3)?;
                    if text.find('-') == Some(2) {
                        return None;
                    }
                }
                'M' => parts.month = number(&mut rest, 2..=2)?,
                'm' => parts.month = number(&mut rest, 1..=2)?,
                'D' => parts.day = number(&mut rest, 2..=2)?,
                'd' => parts.day = number(&mut rest, 1..=2)?,
                'h' => parts.hour = number(&mut rest, 1..=2)?,
                'I' => parts.minute = number(&mut rest, 2..=2)?,
                'i' => parts.minute = number(&mut rest, 1..=2)?,
                'S' => parts.second = number(&mut rest, 2..=2)?,
                's' => parts.second = number(&mut rest, 1..=2)?,
                'f' => parts.nanos = fraction(&mut rest),
                'z' if rest == "Z" => rest = "",
                'z' => parts.zone = zone(&mut rest, ":")?,
                'n' => {
                    parts.zone = zone(&mut rest, "")?;
                    let name = rest.strip_prefix(' ')?.trim_start_matches(' ');
                    rest = if is_zone_name(name) { "" } else { return None };
                }
                ' ' => rest = rest.strip_prefix(' ')?.trim_start_matches(' '),
                other => rest = rest.strip_prefix(other)?,
            }
        }
        let valid = parts.hour < 24 && parts.minute < 60 && parts.second < 60;
        (valid && rest.is_empty()).then_some(parts)
    }

    /// Nanoseconds since the start of the day, in UTC: below zero where that is the day before.
    fn of_day(&self) -> i64 {
        let seconds = (self.hour * 60 + self.minute) * 60 + self.second - self.zone;
        seconds * 1_000_000_000 + self.nanos
    }

    /// Days since 1970; `None` where there is no such date.
    fn days(&self) -> Option<i64> {
        let valid = (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day);
        valid.then(|| days_from_date(self.year, self.month, self.day))
    }
}

/// Whether it is the date `0000-00-00`, which has no place among the others
/// (`gms/sql/types/datetime.go`, `IsZeroTimestampStr`).
fn is_zero(text: &str) -> bool {
    let zeros = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'0');
    let (date, time) = match text.find([' ', '.']) {
        Some(at) => (text.get(..at), text.get(at + 1..)),
        None => (Some(text), Some("")),
    };
    let mut parts = date.unwrap_or_default().split('-');
    (0..3).all(|_| parts.next().is_some_and(zeros))
        && parts.next().is_none()
        && time.is_some_and(|time| "00:00:00.000000".starts_with(time))
}

/// A date as it is stored: year, month and day in 16, 8 and 8 bits.
pub(crate) fn date(text: &str) -> Result<u32, Reason> {
    if is_zero(text) {
        return Ok(0);
    }
    let parts = Parts::parse(text).ok_or("it is not a date (YYYY-MM-DD)")?;
    let days = parts.days().ok_or("there is no such date")?;
    let days = days + parts.of_day().div_euclid(1000 * MICROS_A_DAY);
    let (year, month, day) = date_from_days(days);
    if !(0..10_000).contains(&year) {
        return Err("it is outside the years 0 to 9999".into());
    }
    let packed = year << 16 | month << 8 | day;
    u32::try_from(packed).map_err(|_| "there is no such date".into())
}

/// Microseconds since 1970 UTC, rounded half up to `precision` digits of a second.
pub(crate) fn datetime(text: &str, precision: u8, timestamp: bool) -> Result<i64, Reason> {
    if is_zero(text) {
        return Ok(ZERO_DATETIME);
    }
    let parts = Parts::parse(text).ok_or("it is not a date and time (YYYY-MM-DD HH:MM:SS)")?;
    let days = parts.days().ok_or("there is no such date")?;
    let unit = 10i64.pow(9 - u32::from(precision.min(6)));
    let nanos = (parts.of_day() + unit / 2).div_euclid(unit) * unit;
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
            "it is outside the years 0 to 9999".into()
        });
    }
    Ok(micros)
}

/// Signed microseconds of a TIME (`gms/sql/types/time.go`, `stringToTimespan`). Where dolt would
/// take the longest time there is for a longer one, it is refused.
pub(crate) fn time(text: &str) -> Result<i64, Reason> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (clock, digits) = rest.split_once('.').unwrap_or((rest, ""));
    let micros = seconds(clock)
        .filter(|_| rest.bytes().any(|c| c.is_ascii_digit()))
        .zip(micros(digits))
        .map(|(seconds, micros)| seconds * MICROS_A_SECOND + micros)
        .ok_or("it is not a time (HH:MM:SS)")?;
    if micros > TIME_MAX_MICROS {
        return Err("it is outside -838:59:59 to 838:59:59".into());
    }
    Ok(if negative { -micros } else { micros })
}

/// Seconds of `H:M:S`, `H:M` or `HMMSS`. What is missing between colons is 0.
fn seconds(clock: &str) -> Option<i64> {
    let part = |text: &str, len: usize| {
        let mut rest = text;
        match text {
            "" => Some(0),
            _ => number(&mut rest, 1..=len).filter(|_| rest.is_empty()),
        }
    };
    let (hours, minutes, seconds) = if let Some((hours, rest)) = clock.split_once(':') {
        let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, ""));
        (part(hours, 3)?, part(minutes, 2)?, part(seconds, 2)?)
    } else {
        let value = part(clock, 7)?;
        (value / 10_000, value / 100 % 100, value % 100)
    };
    (minutes < 60 && seconds < 60).then_some((hours * 60 + minutes) * 60 + seconds)
}

/// Microseconds of the digits behind the point. Of those beyond the sixth, dolt rounds by the last.
fn micros(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let kept = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
    let micros = kept.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    let up = digits.len() > 6 && digits.as_bytes().last() >= Some(&b'5');
    Some(micros + i64::from(up))
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
            ("0-0-0 00:00", 0, "0000-00-00 00:00:00"),
            ("00-000-0.", 0, "0000-00-00 00:00:00"),
        ] {
            assert_eq!(read(text, precision).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "2024-01-02 24:00:00",
            "0000-00-00 0:0:0",
            "0000-00-00T00:00:00Z",
            "0-0-0-0",
            "0--0",
            "00000000",
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
