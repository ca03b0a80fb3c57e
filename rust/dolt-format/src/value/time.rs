//! Dates and times: the calendar, and the text Dolt prints.

use super::digits::{eight_digits, push_u64};
use super::number::push_i64;

pub(crate) const MICROS_A_SECOND: i64 = 1_000_000;
pub(crate) const SECONDS_A_DAY: i64 = 86_400;
const MICROS_A_DAY: i64 = SECONDS_A_DAY * MICROS_A_SECOND;
/// `0000-00-00 00:00:00` as a datetime's microseconds: the year 0 less 366 days and one month.
pub(crate) const ZERO_DATETIME: i64 = -62_169_984_000_000_000;
/// The longest TIME: 838:59:59.
pub(crate) const TIME_MAX_MICROS: i64 = (838 * 3600 + 59 * 60 + 59) * MICROS_A_SECOND;

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
pub(crate) fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    // Howard Hinnant's days_from_civil: years start in March, eras have 400 years.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
pub(crate) fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Days of a month.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn push_two(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]);
}

fn push_date_parts(year: i64, month: i64, day: i64, out: &mut Vec<u8>) {
    if year == 0 {
        out.extend_from_slice(b"0000");
    } else {
        push_i64(year, out);
    }
    out.push(b'-');
    push_two(month, out);
    out.push(b'-');
    push_two(day, out);
}

/// Appends a date field: year, month and day in 16, 8 and 8 bits.
pub(crate) fn push_date(packed: u32, out: &mut Vec<u8>) {
    push_date_parts(
        i64::from(packed >> 16),
        i64::from(packed >> 8 & 0xff),
        i64::from(packed & 0xff),
        out,
    );
}

/// `hh:mm:ss` of the seconds of a day.
fn clock(seconds: i64) -> [u8; 8] {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    // A number with a zero where a colon is to stand.
    let mut text = eight_digits((hours * 1_000_000 + minutes * 1000 + seconds % 60) as u64);
    (text[2], text[5]) = (b':', b':');
    text
}

fn push_clock(micros: i64, precision: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&clock(micros / MICROS_A_SECOND));
    push_fraction(micros % MICROS_A_SECOND, precision, out);
}

fn push_fraction(micros: i64, precision: u8, out: &mut Vec<u8>) {
    if precision == 0 {
        return;
    }
    out.push(b'.');
    let mut unit = MICROS_A_SECOND / 10;
    for _ in 0..precision {
        out.push(b'0' + (micros / unit % 10) as u8);
        unit /= 10;
    }
}

/// A datetime as it is shown: what was stored when the column had more digits is rounded.
fn rounded(micros: i64, precision: u8) -> i64 {
    let unit = 10i64.pow(6 - u32::from(precision.min(6)));
    match micros.rem_euclid(unit) {
        0 => micros,
        rest if rest < unit / 2 => micros - rest,
        rest => micros + unit - rest,
    }
}

/// Appends a datetime: microseconds since 1970 UTC, with `precision` digits of a second.
pub(crate) fn push_datetime(micros: i64, precision: u8, out: &mut Vec<u8>) {
    if micros == ZERO_DATETIME {
        out.extend_from_slice(b"0000-00-00 00:00:00");
        push_fraction(0, precision, out);
        return;
    }
    let micros = rounded(micros, precision);
    let (year, month, day) = date_from_days(micros.div_euclid(MICROS_A_DAY));
    push_date_parts(year, month, day, out);
    out.push(b' ');
    push_clock(micros.rem_euclid(MICROS_A_DAY), precision, out);
}

/// The texts of a column's datetimes, of which one is often that before it, or of the same day.
#[derive(Debug, Clone, Default)]
pub(crate) struct Datetimes {
    last: Option<i64>,
    text: [u8; Self::TEXT_LEN],
    len: usize,
    /// When the day begins that the text is of, if only its clock changes on that day.
    midnight: Option<i64>,
    scratch: Vec<u8>,
}

impl Datetimes {
    /// More than any of them takes.
    pub(crate) const TEXT_LEN: usize = 32;

    /// What [`push_datetime`] appends, and how long it is. The precision is the same each time.
    #[inline]
    pub(crate) fn text(&mut self, micros: i64, precision: u8) -> (&[u8; Self::TEXT_LEN], usize) {
        if self.last != Some(micros) {
            self.last = Some(micros);
            self.set(micros, precision);
        }
        (&self.text, self.len)
    }

    fn set(&mut self, micros: i64, precision: u8) {
        let is_plain = precision == 0 && micros != ZERO_DATETIME;
        let shown = if is_plain { rounded(micros, 0) } else { micros };
        let since = self.midnight.and_then(|start| shown.checked_sub(start));
        if let (true, Some(since @ 0..MICROS_A_DAY)) = (is_plain, since) {
            self.text[self.len - 8..self.len].copy_from_slice(&clock(since / MICROS_A_SECOND));
            return;
        }
        self.scratch.clear();
        push_datetime(micros, precision, &mut self.scratch);
        self.len = self.scratch.len();
        self.text[..self.len].copy_from_slice(&self.scratch);
        let midnight = shown.checked_sub(shown.rem_euclid(MICROS_A_DAY));
        self.midnight = midnight.filter(|_| is_plain);
    }
}

/// Appends a time: signed microseconds, always with six digits of a second.
pub(crate) fn push_time(micros: i64, out: &mut Vec<u8>) {
    if micros < 0 {
        out.push(b'-');
    }
    let micros = micros.unsigned_abs();
    let seconds = micros / MICROS_A_SECOND.unsigned_abs();
    let hours = seconds / 3600;
    if hours < 100 {
        push_two(hours as i64, out);
    } else {
        push_u64(hours, out);
    }
    out.push(b':');
    push_two((seconds / 60 % 60) as i64, out);
    out.push(b':');
    push_two((seconds % 60) as i64, out);
    push_fraction((micros % MICROS_A_SECOND.unsigned_abs()) as i64, 6, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_goes_both_ways() {
        for days in [-719_528, -1, 0, 59, 60, 11_016, 19_782, 2_932_896] {
            let (year, month, day) = date_from_days(days);
            assert_eq!(days_from_date(year, month, day), days);
            assert!(day <= days_in_month(year, month));
        }
        assert_eq!(date_from_days(19_782), (2024, 2, 29));
    }

    #[test]
    fn datetimes_are_printed_as_dolt_prints_them() {
        let print = |micros, precision| {
            let mut out = Vec::new();
            push_datetime(micros, precision, &mut out);
            String::from_utf8(out).expect("ASCII")
        };
        assert_eq!(print(ZERO_DATETIME, 0), "0000-00-00 00:00:00");
        assert_eq!(print(1, 6), "1970-01-01 00:00:00.000001");
        // Digits that the column does not have any more are rounded, half up.
        assert_eq!(print(-1, 3), "1970-01-01 00:00:00.000");
        assert_eq!(print(-500_000, 0), "1970-01-01 00:00:00");
        assert_eq!(print(-500_001, 0), "1969-12-31 23:59:59");
        assert_eq!(print(1_499_999, 0), "1970-01-01 00:00:01");
    }

    #[test]
    fn a_column_shows_each_datetime_as_if_it_were_alone() {
        let (second, day) = (MICROS_A_SECOND, MICROS_A_DAY);
        let near = [
            -day,
            -second,
            -1,
            0,
            1,
            499_999,
            500_000,
            12_345 * second,
            day - 1,
            day,
        ];
        for precision in [0, 3, 6] {
            let mut column = Datetimes::default();
            for base in [
                0,
                15_000 * day,
                ZERO_DATETIME,
                i64::MAX - 2 * day,
                i64::MIN + 2 * day,
            ] {
                for micros in near.iter().chain(near.iter().rev()).map(|near| base + near) {
                    let mut alone = Vec::new();
                    push_datetime(micros, precision, &mut alone);
                    let (text, len) = column.text(micros, precision);
                    assert_eq!(&text[..len], alone, "{micros} {precision}");
                }
            }
        }
    }
}
