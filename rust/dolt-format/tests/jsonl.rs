//! Tables shown as JSON, an object a line; and dolt's own JSON taken back.

#[path = "support/store.rs"]
mod support;
#[path = "support/texts.rs"]
mod texts;

use dolt_format::build::refusal::refuses_writes;
use dolt_format::csv::columns::ShownColumn;
use dolt_format::csv::render::Renderer;
use dolt_format::value::sql_type::SqlType;
use dolt_format::{Address, TextFormat};
use serde_json::Value;
use support::Store;
use texts::{REMOTES, built, records, shown};

fn is_number(sql_type: &SqlType) -> bool {
    use SqlType as T;
    matches!(
        sql_type,
        T::Int { .. } | T::Bit(_) | T::Float | T::Double | T::Year
    )
}

fn is_bytes(sql_type: &SqlType) -> bool {
    use SqlType as T;
    matches!(
        sql_type,
        T::Binary(_) | T::VarBinary(_) | T::Blob(_) | T::Geometry(_) | T::Vector(_)
    )
}

/// Base64, as slowly as it is defined.
fn base64(bytes: &[u8]) -> String {
    let bit = |byte: &u8, at: u8| char::from(b'0' + (byte >> (7 - at) & 1));
    let bits: String = bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |at| bit(byte, at)))
        .collect();
    let alphabet: Vec<char> = ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(['+', '/'])
        .collect();
    let sixes = bits.as_bytes().chunks(6).map(|six| {
        let six = format!("{:0<6}", String::from_utf8_lossy(six));
        alphabet[usize::from_str_radix(&six, 2).expect("bits")]
    });
    let mut text: String = sixes.collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// What dolt's CSV field is in JSON.
fn expected(column: &ShownColumn, field: Option<&[u8]>) -> Value {
    let Some(field) = field else {
        return Value::Null;
    };
    if is_bytes(&column.sql_type) {
        return Value::String(base64(field));
    }
    let text = String::from_utf8(field.to_vec()).expect("UTF-8");
    let is_json = matches!(column.sql_type, SqlType::Json);
    match serde_json::from_str(&text) {
        Ok(Value::Null) if is_json => serde_json::json!({"$json": null}),
        Ok(value) if is_json || is_number(&column.sql_type) => value,
        _ => Value::String(text),
    }
}

fn jsonl(store: &Store, name: &str, address: Address) -> (Vec<ShownColumn>, String) {
    let (table, schema) = store.table(address);
    let renderer = Renderer::new(&schema)
        .expect(name)
        .in_format(TextFormat::Jsonl);
    let (text, _) = shown(store, &table, &renderer);
    (
        renderer.columns().shown.clone(),
        String::from_utf8(text).expect(name),
    )
}

#[test]
fn every_value_is_that_of_csv() {
    let mut count = 0;
    support::each_table_of(&REMOTES, |store, name, address, csv| {
        let (columns, text) = jsonl(store, name, address);
        let rows = records(&csv);
        assert_eq!(text.lines().count(), rows.len() - 1, "{name}");
        for (line, record) in text.lines().zip(rows.iter().skip(1)) {
            let row: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{name}: {e}"));
            let row = row.as_object().expect("an object");
            assert_eq!(row.len(), columns.len());
            for (column, field) in columns.iter().zip(record) {
                let value = expected(column, field.as_deref());
                assert_eq!(row[&column.name], value, "{name}: {line}");
                count += 1;
            }
            // Names stand in the order of the table.
            let mut at = 0;
            for column in &columns {
                let label = format!("{}:", Value::String(column.name.clone()));
                at += line[at..]
                    .find(&label)
                    .unwrap_or_else(|| panic!("{name}: {line}"));
            }
        }
    });
    assert!(count > 5000, "{count}");
}

/// A document whose numbers are doubles: dolt reads them so to write them.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(name, value)| (name.clone(), rounded(value)))
                .collect()
        }
        other => other.clone(),
    }
}

/// Dolt's JSON agrees wherever it loses nothing.
#[test]
fn every_value_is_that_of_dolts_json() {
    let (mut same, mut lost) = (0, 0);
    support::each_table_of(&["types", "edge"], |store, name, address, _| {
        let mut path = name.splitn(3, '/');
        let (remote, branch, table) = (path.next(), path.next(), path.next());
        if branch != Some("main") {
            return;
        }
        let file = format!("dolt/{}/{}.jsonl", remote.expect(name), table.expect(name));
        let file = support::golden("formats").join(file);
        let Ok(theirs) = std::fs::read_to_string(&file) else {
            panic!("{}", file.display());
        };
        let (columns, text) = jsonl(store, name, address);
        let theirs = theirs.trim_end_matches('\n');
        assert_eq!(
            text.lines().count(),
            theirs.lines().filter(|l| !l.is_empty()).count(),
            "{name}"
        );
        for (ours, theirs) in text.lines().zip(theirs.lines()) {
            let ours: Value = serde_json::from_str(ours).expect("JSON");
            let theirs: Value = serde_json::from_str(theirs).expect("JSON");
            for column in &columns {
                let our = &ours[&column.name];
                // Leaving NULL out is the one way in which it shows it.
                let their = theirs.get(&column.name).unwrap_or(&Value::Null);
                let is_float = matches!(column.sql_type, SqlType::Float | SqlType::Double);
                if our == their || is_float && rounded(our) == rounded(their) {
                    same += 1;
                } else {
                    let is_json = matches!(column.sql_type, SqlType::Json);
                    let known = is_json && rounded(our) == rounded(their)
                        || is_bytes(&column.sql_type)
                        || their.get("Addr").is_some()
                        || *our == serde_json::json!({"$json": null});
                    assert!(known, "{name}: {}: {our} and dolt's {their}", column.name);
                    lost += 1;
                }
            }
        }
    });
    assert!(
        same > 7000 && lost < 900,
        "{same} the same, {lost} lost by dolt"
    );
}

/// Tables that dolt's JSON does not say all of: why it is refused, or nothing where it says
/// something else.
const NOT_TAKEN_BACK: [(&str, &str); 11] = [
    ("types/main/strings", "it is not Base64"),
    ("edge/main/bins", "it is not Base64"),
    ("edge/main/bytes_keys", "it is not Base64"),
    ("edge/main/altered", "the address of this long value"),
    ("edge/main/many_wide", "the address of this long value"),
    ("edge/main/repeated", "the address of this long value"),
    ("edge/main/wide", "the address of this long value"),
    ("edge/main/shapes", "two types of geometry"),
    // Dolt rounds the numbers of documents.
    ("edge/main/documents", ""),
    // Values that stand in no format: a year below 1000, the member of no number.
    ("edge/main/dates", "99-12-31"),
    ("edge/main/enums", "it is not one of"),
];

#[test]
fn what_dolt_exports_is_taken_back_or_refused_with_its_reason() {
    let (mut same, mut others) = (0, 0);
    support::each_table_of(&["types", "edge"], |store, name, address, _| {
        let Some((remote, table)) = name.split_once("/main/") else {
            return;
        };
        let (stored, schema) = store.table(address);
        assert!(refuses_writes(&schema).is_none(), "{name}");
        let saved = |format, text: &[u8]| {
            let built = built(store, &schema, address, format, None, text, 1 << 20);
            built.map(|built| built.table.address())
        };
        let file = format!("dolt/{remote}/{table}.jsonl");
        let theirs = std::fs::read(support::golden("formats").join(file)).expect(name);
        let outcome = saved(TextFormat::Jsonl, &theirs);
        let known = NOT_TAKEN_BACK.iter().find(|(known, _)| *known == name);
        match (known, outcome) {
            (None, Ok(found)) if found == address => same += 1,
            // Old data is stored otherwise than dolt stores it now.
            (None, Ok(found)) => {
                let renderer = Renderer::new(&schema).expect(name);
                let (csv, _) = shown(store, &stored, &renderer);
                assert_eq!(saved(TextFormat::Csv, &csv), Ok(found), "{name}");
                same += 1;
            }
            (Some((_, "")), Ok(_)) => others += 1,
            (Some((_, why)), Err(error)) if !why.is_empty() => {
                assert!(error.to_string().contains(why), "{name}: {error}");
                others += 1;
            }
            (_, outcome) => panic!("{name}: {outcome:?}"),
        }
    });
    assert_eq!((same, others), (42, NOT_TAKEN_BACK.len()));
}

#[test]
fn the_remote_of_all_types_is_shown_as_it_was_looked_through() {
    let mut count = 0;
    support::each_table_of(&["types"], |store, name, address, _| {
        let Some(table) = name.strip_prefix("types/main/") else {
            return;
        };
        let (stored, schema) = store.table(address);
        let renderer = Renderer::new(&schema).expect(name);
        for format in [TextFormat::Tsv, TextFormat::Jsonl] {
            let (text, _) = shown(store, &stored, &renderer.in_format(format));
            let path = support::golden("formats").join(format!("types/{table}.{format}"));
            let golden = std::fs::read(&path).unwrap_or_default();
            assert!(text == golden, "{}", path.display());
            count += 1;
        }
    });
    assert_eq!(count, 28);
}
