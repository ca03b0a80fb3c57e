//! `Moment`: what the defaults that differ each time are made of.

use crate::value::sql_type::SqlType;
use crate::value::time::push_datetime;

/// What the defaults that differ each time are made of, for rows that are there already.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Microseconds since 1970 UTC.
    pub micros: i64,
    /// Chance, of which each row's UUID is made.
    pub seed: [u8; 16],
}

impl Moment {
    /// The text of a default that is the time.
    pub(super) fn time(&self, default: &str, sql_type: &SqlType) -> Option<Vec<u8>> {
        let name = bare(default);
        let is_time = ["current_timestamp", "now", "localtime", "localtimestamp"];
        let is_date = ["curdate", "current_date"];
        let mut text = Vec::new();
        push_datetime(self.micros, 6, &mut text);
        match sql_type {
            SqlType::Datetime { precision, .. } if is_time.contains(&name.as_str()) => {
                // A fraction of which digits are left out is cut, not rounded.
                let digits = usize::from(*precision);
                let kept = "0000-00-00 00:00:00".len() + digits + usize::from(digits > 0);
                text.truncate(kept);
            }
            SqlType::Date if is_time.contains(&name.as_str()) => {
                text.truncate("0000-00-00".len());
            }
            SqlType::Date | SqlType::Datetime { .. } if is_date.contains(&name.as_str()) => {
                text.truncate("0000-00-00".len());
            }
            _ => return None,
        }
        Some(text)
    }

    /// Whether a default is another UUID for each row.
    pub(super) fn is_uuid(default: &str, sql_type: &SqlType) -> bool {
        let is_text = matches!(sql_type, SqlType::Char { .. } | SqlType::Text { .. });
        is_text && bare(default) == "uuid"
    }

    /// A UUID of version 4 for the row on `line`.
    pub(super) fn uuid(&self, line: u64) -> String {
        let mut hash = blake3::Hasher::new();
        hash.update(&self.seed).update(&line.to_le_bytes());
        let mut raw = [0; 16];
        raw.copy_from_slice(&hash.finalize().as_bytes()[..16]);
        let number = u128::from_be_bytes(raw);
        let number = number & !(0xf << 76) | 4 << 76;
        let number = number & !(3 << 62) | 2 << 62;
        let digits = format!("{number:032x}");
        let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
        let groups = groups.map(|group| digits.get(group).unwrap_or_default());
        groups.join("-")
    }
}

/// The name of a function that stands alone, in lower case; empty for anything else.
fn bare(default: &str) -> String {
    let text = default.trim().trim_matches(['(', ')']);
    let name = text.split('(').next().unwrap_or_default();
    let rest = text.get(name.len()..).unwrap_or_default();
    let plain = rest
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'(');
    if plain {
        name.trim().to_ascii_lowercase()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Moment = Moment {
        micros: 1_795_671_027_999_999,
        seed: [7; 16],
    };

    #[test]
    fn the_time_has_the_columns_digits() {
        let time = |default: &str, sql_type: &str| {
            let sql_type = SqlType::parse(sql_type).expect("a type");
            let text = MOMENT.time(default, &sql_type)?;
            Some(String::from_utf8(text).expect("ASCII"))
        };
        for (default, sql_type, text) in [
            ("CURRENT_TIMESTAMP", "datetime", "2026-11-26 05:30:27"),
            (
                "CURRENT_TIMESTAMP(3)",
                "timestamp(3)",
                "2026-11-26 05:30:27.999",
            ),
            ("(NOW())", "datetime(6)", "2026-11-26 05:30:27.999999"),
            ("(curdate())", "date", "2026-11-26"),
            ("(current_date())", "datetime", "2026-11-26"),
        ] {
            assert_eq!(time(default, sql_type).as_deref(), Some(text), "{default}");
        }
        for (default, sql_type) in [
            ("(year(NOW()))", "year"),
            ("(NOW() + 1)", "datetime"),
            ("(rand())", "double"),
            ("'now'", "datetime"),
        ] {
            assert_eq!(time(default, sql_type), None, "{default}");
        }
    }

    #[test]
    fn each_row_has_a_uuid_of_its_own() {
        let text = SqlType::parse("char(36)").expect("a type");
        assert!(Moment::is_uuid("(uuid())", &text));
        assert!(!Moment::is_uuid("(uuid_to_bin(uuid()))", &text));
        let (one, other) = (MOMENT.uuid(2), MOMENT.uuid(3));
        assert_ne!(one, other);
        for uuid in [one, other] {
            assert_eq!(uuid.len(), 36);
            assert_eq!(uuid.get(14..15), Some("4"), "{uuid}");
            assert!(
                "89ab".contains(uuid.get(19..20).expect("a digit")),
                "{uuid}"
            );
        }
    }
}
