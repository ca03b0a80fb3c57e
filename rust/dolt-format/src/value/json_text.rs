//! JSON text as Dolt stores it: compact, keys sorted, numbers as Go prints them.

use std::collections::{BTreeMap, btree_map};

use serde_json::Value;
use serde_json::value::RawValue;

use super::from_text::Reason;
use super::number::{push_float, push_plain_float};

/// Objects and arrays within one another, in Go.
const DEPTH_MAX: usize = 10_000;
/// As many as are read by recursion.
const DEPTH_PLAIN: usize = 127;

/// Appends the normal form of a JSON document.
pub(crate) fn push_normalised(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let start = out.len();
    push(text, out)
        .or_else(|error| match without_lone_surrogates(text) {
            Some(text) => {
                out.truncate(start);
                push(&text, out)
            }
            None => Err(error),
        })
        .map_err(|error| {
            if depth(text) > DEPTH_MAX {
                return format!("its objects and arrays nest more than {DEPTH_MAX} deep").into();
            }
            format!("it is not JSON: {error}").into()
        })
}

fn push(text: &str, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            push_value(&value, out);
            Ok(())
        }
        Err(_) if (DEPTH_PLAIN + 1..=DEPTH_MAX).contains(&depth(text)) => push_deep(text, out),
        Err(error) => Err(error),
    }
}

/// How deep objects and arrays nest.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// An array or an object of which not all is appended yet.
enum Open<'a> {
    Array(std::vec::IntoIter<&'a RawValue>),
    Object(btree_map::IntoIter<String, &'a RawValue>),
}

/// Appends a document however deep it nests: level by level, so that no stack overflows.
fn push_deep(text: &str, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut value: &RawValue = serde_json::from_str(text)?;
    loop {
        match value.get().as_bytes().first() {
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(value.get())?;
                open.push(Open::Array(items.into_iter()));
                out.push(b'[');
            }
            Some(b'{') => {
                let fields: BTreeMap<String, &RawValue> = serde_json::from_str(value.get())?;
                open.push(Open::Object(fields.into_iter()));
                out.push(b'{');
            }
            _ => push_value(&serde_json::from_str(value.get())?, out),
        }
        value = loop {
            let Some(innermost) = open.last_mut() else {
                return Ok(());
            };
            let (found, close) = match innermost {
                Open::Array(items) => (items.next().map(|item| (None, item)), b']'),
                Open::Object(fields) => {
                    let field = fields.next();
                    (field.map(|(key, field)| (Some(key), field)), b'}')
                }
            };
            let Some((key, found)) = found else {
                out.push(close);
                open.pop();
                continue;
            };
            if !matches!(out.last(), Some(b'[' | b'{')) {
                out.push(b',');
            }
            if let Some(key) = key {
                push_string(&key, out);
                out.push(b':');
            }
            break found;
        };
    }
}

/// The text with U+FFFD for each escaped half of a surrogate pair, as Go decodes them; `None` when
/// it has no such half.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let half = |rest: &str| {
        let digits = rest.strip_prefix("\\u")?.get(..4)?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        matches!(unit, 0xd800..0xe000).then_some(unit)
    };
    let mut out = String::new();
    let mut found = false;
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let is_pair = matches!(half(escape), Some(..0xdc00))
            && matches!(escape.get(6..).and_then(half), Some(0xdc00..));
        let len = match half(escape) {
            Some(_) if is_pair => 12,
            Some(_) => {
                found = true;
                out.push('\u{fffd}');
                rest = escape.get(6..)?;
                continue;
            }
            // Any other escape, with the character behind the backslash.
            None => 1 + escape.chars().nth(1)?.len_utf8(),
        };
        let (escape, behind) = escape.split_at(len);
        out.push_str(escape);
        rest = behind;
    }
    out.push_str(rest);
    found.then_some(out)
}

fn push_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => push_number(number.as_f64().unwrap_or_default(), out),
        Value::String(text) => push_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                push_value(item, out);
            }
            out.push(b']');
        }
        // serde_json's map is sorted by key, and of equal keys the last one won.
        Value::Object(fields) => {
            out.push(b'{');
            for (position, (key, field)) in fields.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                push_string(key, out);
                out.push(b':');
                push_value(field, out);
            }
            out.push(b'}');
        }
    }
}

/// Numbers are 64-bit floats: plain from 1e-6 up to 1e21, else with an exponent.
fn push_number(value: f64, out: &mut Vec<u8>) {
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        push_plain_float(value, out);
        return;
    }
    let start = out.len();
    push_float(value, false, out);
    // Go's encoder writes e-7, not e-07.
    let text = &out[start..];
    if let [.., b'e', b'-', b'0', _] = text {
        let at = out.len() - 2;
        out.remove(at);
    }
}

fn push_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            }
            _ => {
                let mut utf8 = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_normalised_as_dolt_does() {
        for (text, stored) in [
            ("1.0", "1"),
            ("{\"b\":1,\"a\":2, \"a\": 3}", "{\"a\":3,\"b\":1}"),
            ("[1, 2]", "[1,2]"),
            ("123456789012345678", "123456789012345680"),
            ("1e21", "1e+21"),
            ("1E-7", "1e-7"),
            ("1.5e-10", "1.5e-10"),
            ("-0", "-0"),
            (
                "\"\\ud83d\\ude00 \\ud83d\\\\ud83d \\udc00\\ud83d\\n\"",
                "\"😀 \u{fffd}\\\\ud83d \u{fffd}\u{fffd}\\n\"",
            ),
            ("1125899906842624.25", "1125899906842624.2"),
            ("\"\\u00e9\\u003c/\\u2028\\u0001\"", "\"é</\\u2028\\u0001\""),
        ] {
            let mut out = Vec::new();
            push_normalised(text, &mut out).expect(text);
            assert_eq!(String::from_utf8_lossy(&out), stored, "{text}");
        }
        for text in ["x", "", "1e400", "{", "[1,]", "nan"] {
            assert!(push_normalised(text, &mut Vec::new()).is_err(), "{text}");
        }
    }

    #[test]
    fn documents_nest_as_deep_as_dolt_takes_them() {
        let normalised = |text: &str| {
            let mut out = Vec::new();
            push_normalised(text, &mut out).map(|()| String::from_utf8(out).expect("UTF-8"))
        };
        let within = |count: usize, inner: &str| {
            let (open, close) = (
                "[ {\"b\":1, \"a\":".repeat(count),
                ", \"c\": []}]".repeat(count),
            );
            format!("{open}{inner}{close}")
        };
        let expected = |count: usize, inner: &str| {
            let (open, close) = (
                "[{\"a\":".repeat(count),
                ",\"b\":1,\"c\":[]}]".repeat(count),
            );
            format!("{open}{inner}{close}")
        };
        for count in [1, 62, 63, 64, 4999] {
            let found = normalised(&within(count, "1.0"));
            assert_eq!(
                found.as_deref(),
                Ok(expected(count, "1").as_str()),
                "{count}"
            );
        }
        let found = normalised(&within(100, "\"\\\"[{\\ud83d\""));
        assert_eq!(found, Ok(expected(100, "\"\\\"[{\u{fffd}\"")));
        let why = normalised(&within(5000, "1")).expect_err("it is too deep");
        assert!(why.contains("nest more than 10000 deep"), "{why}");
        for inner in ["1e400", "[1,]", "nul", ""] {
            let why = normalised(&within(200, inner)).expect_err("it is not JSON");
            assert!(why.contains("it is not JSON"), "{why}");
        }
    }
}
