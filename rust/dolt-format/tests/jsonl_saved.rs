//! Rows as JSON objects that are saved: what they are taken as, and which are refused.

#[path = "support/store.rs"]
mod support;
#[path = "support/texts.rs"]
mod texts;

use dolt_format::csv::render::Renderer;
use dolt_format::{FormatError, TextFormat};
use serde_json::Value;
use support::Store;
use texts::{built, shown};

/// What saving `text` as the table of that name comes to: its JSON. The remote is `types` where
/// none stands before the name.
fn saved(table: &str, text: &str) -> Result<String, FormatError> {
    let (remote, table) = table.split_once('/').unwrap_or(("types", table));
    let (store, root) = Store::open(&support::golden("remotes").join(remote));
    let head = store.branches(root)["main"];
    let address = store.tables(head)[table];
    let (_, schema) = store.table(address);
    let mut shown_again = Err(FormatError::corrupt("test", "nothing was saved"));
    for step in [1, 7, 1 << 20] {
        let table = built(
            &store,
            &schema,
            address,
            TextFormat::Jsonl,
            None,
            text.as_bytes(),
            step,
        );
        shown_again = table.map(|built| {
            let mut made = Store::default();
            made.add(built.chunks.iter().cloned());
            made.add(store.0.values().cloned());
            let table = dolt_format::message::table::Table::decode(built.table.contents());
            let renderer = Renderer::new(&schema).expect("a renderer");
            let renderer = renderer.in_format(TextFormat::Jsonl);
            let (text, _) = shown(&made, &table.expect("a table"), &renderer);
            String::from_utf8(text).expect("UTF-8")
        });
    }
    shown_again
}

#[test]
fn values_are_taken_as_what_they_say() {
    for (table, text, again) in [
        // Any order, spaces, no line end at the end, empty lines, CR LF, a byte-order mark.
        (
            "parent",
            "\u{feff}\n {\"name\" : \"one\", \"id\":1 } \r\n\n{\"id\":2}",
            "{\"id\":1,\"name\":\"one\"}\n{\"id\":2,\"name\":null}\n",
        ),
        ("parent", "\n", ""),
        // Numbers stay exact; a name is found in any case.
        (
            "numbers",
            "{\"ID\":18446744073709551615,\"d\":0.10,\"dbig\":\"1e0\",\"f32\":1e-1,\"f64\":\"0.1\",\"bo\":true,\"b64\":9223372036854775809}",
            "{\"id\":18446744073709551615,\"i8\":null,\"u8\":null,\"i16\":null,\"u16\":null,\"i24\":null,\"u24\":null,\"i32\":null,\"u32\":null,\"i64\":null,\"u64\":null,\"f32\":0.1,\"f64\":0.1,\"d\":\"0.10\",\"dbig\":\"1.000000000000000000000000000000\",\"b1\":null,\"b64\":9223372036854775809,\"bo\":1}\n",
        ),
        (
            "edge/vectors",
            "{\"id\":1,\"v\":[1,2.5,-1e1]}\n{\"id\":2,\"v\":\"AACAPwAAIEAAACDB\"}\n",
            "{\"id\":1,\"v\":\"AACAPwAAIEAAACDB\",\"w\":null}\n\
             {\"id\":2,\"v\":\"AACAPwAAIEAAACDB\",\"w\":null}\n",
        ),
        // GeoJSON, and the geometries that dolt exports.
        (
            "geo",
            "{\"id\":1,\"p\":{\"type\":\"Point\",\"coordinates\":[1,2]},\"mp\":{\"$base64\":\"AAAAAAEEAAAAAQAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==\"}}\n\
             {\"id\":2,\"p\":{\"SRID\":0,\"X\":1,\"Y\":2}}\n",
            "{\"id\":1,\"g\":null,\"p\":\"5hAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==\",\"l\":null,\"poly\":null,\"mp\":\"AAAAAAEEAAAAAQAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==\"}\n\
             {\"id\":2,\"g\":null,\"p\":\"AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==\",\"l\":null,\"poly\":null,\"mp\":null}\n",
        ),
    ] {
        assert_eq!(saved(table, text).as_deref(), Ok(again), "{text}");
    }
    let strings = |j: &str| {
        let row = format!("{{\"id\":\"x\",{j}}}\n");
        let text = saved("strings", &row)?;
        let row: Value = serde_json::from_str(&text).expect("JSON");
        let row = row.as_object().expect("an object");
        let set = row
            .iter()
            .filter(|(name, value)| !value.is_null() && *name != "id");
        let set: Vec<String> = set
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        Ok::<_, FormatError>(set.join(","))
    };
    for (given, again) in [
        (r#""v":"""#, r#""v":"""#),
        (r#""v":"\u00e9\ud83d\ude00\n""#, "\"v\":\"é😀\\n\""),
        (r#""v":7"#, r#""v":"7""#),
        (r#""v":1.50"#, r#""v":"1.50""#),
        (r#""v":{"$base64":"w6k="}"#, r#""v":"é""#),
        (r#""bl":"AP8=""#, r#""bl":"AP8=""#),
        (r#""bl":{"$base64":"AP8="}"#, r#""bl":"AP8=""#),
        (r#""bl":"AP\u0038=""#, r#""bl":"AP8=""#),
        (r#""bl":"""#, r#""bl":"""#),
        (r#""b":"AAAAAA==""#, r#""b":"AAAAAA==""#),
        (r#""s":"c,a""#, r#""s":"a,c""#),
        (r#""j":null"#, ""),
        (r#""j":{"$json":null}"#, r#""j":{"$json":null}"#),
        (r#""j":{"$json":1}"#, r#""j":1"#),
        (
            r#""j":{"$json":{"$json":1}}"#,
            r#""j":{"$json":{"$json":1}}"#,
        ),
        (
            r#""j":{"$json":1,"b":2}"#,
            r#""j":{"$json":{"$json":1,"b":2}}"#,
        ),
        (r#""j":"null""#, r#""j":"null""#),
        (r#""j":[1, {"b":2, "a":[]}]"#, r#""j":[1,{"a":[],"b":2}]"#),
    ] {
        assert_eq!(strings(given).as_deref(), Ok(again), "{given}");
    }
}

/// Table, text, and of the refusal: line, column, value, part of the reason.
const REFUSED: &[(&str, &str, u64, &str, &str, &str)] = &[
    (
        "parent",
        "id,name\n1,a\n",
        1,
        "",
        "",
        "byte 1: expected {; a row is a JSON object on a line of its own",
    ),
    (
        "parent",
        "{\"id\":1}\n[1]\n",
        2,
        "",
        "",
        "byte 1: expected {",
    ),
    (
        "parent",
        "{\"id\":1}{\"id\":2}\n",
        1,
        "",
        "",
        "byte 9: the line goes on behind the object",
    ),
    (
        "parent",
        "{\n\"id\":1}\n",
        1,
        "",
        "",
        "byte 2: expected a quote",
    ),
    (
        "parent",
        "{\"id\":1,}\n",
        1,
        "",
        "",
        "byte 9: expected a quote",
    ),
    ("parent", "{\"id\" 1}\n", 1, "", "", "byte 7: expected :"),
    (
        "parent",
        "{\"id\":1 \"name\":\"a\"}\n",
        1,
        "",
        "",
        "byte 9: expected , or }",
    ),
    (
        "parent",
        "{\"id\":1,\"name\":\"a",
        1,
        "",
        "",
        "the line ends inside a string",
    ),
    ("parent", "{\"id\":1", 1, "", "", "byte 8: expected , or }"),
    (
        "parent",
        "{\"id\":NaN}\n",
        1,
        "",
        "",
        "byte 7: expected a value",
    ),
    (
        "parent",
        "{'id':1}\n",
        1,
        "",
        "",
        "byte 2: expected a quote",
    ),
    ("parent", "{\"id\":01}\n", 1, "", "", "leading zeros"),
    (
        "parent",
        "{\"id\":1}\n\n{\"nam\":\"a\"}\n",
        3,
        "",
        "",
        "it names \"nam\", which is no column of the table; its columns are id, name",
    ),
    (
        "parent",
        "{\"id\":1,\"ID\":2}\n",
        1,
        "",
        "",
        "it names column \"id\" twice",
    ),
    (
        "parent",
        "{\"id\":1}\n{}\n",
        2,
        "",
        "",
        "the row lacks column \"id\", which is NOT NULL and has no default",
    ),
    (
        "parent",
        "{\"id\":null}\n",
        1,
        "id",
        "",
        "the column is NOT NULL",
    ),
    (
        "parent",
        "{\"id\":1}\n{\"id\":2}\n{\"id\":1}\n",
        3,
        "",
        "",
        "stands on line 1 already",
    ),
    (
        "parent",
        "{\"id\":\"\"}\n",
        1,
        "id",
        "\"\"",
        "an empty string is no value of this column; write null",
    ),
    (
        "parent",
        "{\"id\":\"x\"}\n",
        1,
        "id",
        "x",
        "it is not a whole number",
    ),
    (
        "parent",
        "{\"id\":99999999999}\n",
        1,
        "id",
        "99999999999",
        "it is outside",
    ),
    (
        "parent",
        "{\"id\":[1]}\n",
        1,
        "id",
        "[1]",
        "an object or an array is no value of this column",
    ),
    (
        "parent",
        "{\"id\":1,\"name\":true}\n",
        1,
        "name",
        "true",
        "true and false are no text",
    ),
    (
        "parent",
        "{\"id\":1,\"name\":{\"$base64\":1}}\n",
        1,
        "name",
        "{\"$base64\":1}",
        "it is not Base64",
    ),
    (
        "parent",
        "{\"id\":1,\"name\":{\"$base64\":\"/w==\"}}\n",
        1,
        "name",
        "\u{fffd}",
        "it is not UTF-8",
    ),
    (
        "parent",
        "{\"id\":1,\"name\":{\"a\":1}}\n",
        1,
        "name",
        "{\"a\":1}",
        "an object or an array",
    ),
    (
        "parent",
        "{\"id\":1,\"name\":\"\\ud83d\"}\n",
        1,
        "name",
        "\"\\ud83d\"",
        "a surrogate by its half",
    ),
    (
        "parent",
        "{\"id\":1,\"name\":\"\\x\"}\n",
        1,
        "name",
        "\"\\x\"",
        "JSON has no such escape",
    ),
    (
        "strings",
        "{\"id\":\"x\",\"bl\":\"abc\"}\n",
        1,
        "bl",
        "\"abc\"",
        "it is not Base64",
    ),
    (
        "strings",
        "{\"id\":\"x\",\"b\":\"abcd\"}\n",
        1,
        "b",
        "\"abcd\"",
        "Base64 of 3 bytes, the column holds 4",
    ),
    (
        "strings",
        "{\"id\":\"x\",\"bl\":{\"Buf\":null,\"Addr\":[1]}}\n",
        1,
        "bl",
        "{\"Buf\":null,\"Addr\":[1]}",
        "dolt exported the address of this long value in place of the value; export the table as CSV",
    ),
    (
        "geo",
        "{\"id\":1,\"g\":{\"Buf\":null,\"Addr\":[1]}}\n",
        1,
        "g",
        "{\"Buf\":null,\"Addr\":[1]}",
        "the address",
    ),
    (
        "geo",
        "{\"id\":1,\"p\":{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}}\n",
        1,
        "p",
        "{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}",
        "it is a LINESTRING, the column holds POINT",
    ),
    (
        "edge/vectors",
        "{\"id\":1,\"v\":[1,2]}\n",
        1,
        "v",
        "[1,2]",
        "2 numbers, the column holds 3",
    ),
    (
        "edge/vectors",
        "{\"id\":1,\"v\":[1,2,\"3\"]}\n",
        1,
        "v",
        "[1,2,\"3\"]",
        "it is no list of 3 numbers",
    ),
    (
        "edge/vectors",
        "{\"id\":1,\"v\":[1,2,1e39]}\n",
        1,
        "v",
        "[1,2,1e39]",
        "beyond the range of FLOAT",
    ),
    (
        "geo",
        "{\"id\":1,\"p\":1}\n",
        1,
        "p",
        "1",
        "it is not Base64",
    ),
    (
        "strings",
        "{\"id\":\"x\",\"bl\":1}\n",
        1,
        "bl",
        "1",
        "it is not Base64",
    ),
    (
        "strings",
        "{\"id\":\"x\",\"j\":[1,]}\n",
        1,
        "j",
        "[1,]",
        "it is not JSON",
    ),
    (
        "times",
        "{\"id\":1,\"d\":20240230}\n",
        1,
        "d",
        "20240230",
        "no such date",
    ),
    (
        "times",
        "{\"id\":1,\"d\":false}\n",
        1,
        "d",
        "false",
        "true and false are no text",
    ),
    (
        "numbers",
        "{\"id\":1,\"d\":12345678901}\n",
        1,
        "d",
        "12345678901",
        "it",
    ),
];

#[test]
fn what_is_no_row_is_refused_with_line_and_column() {
    let case = |table: &str, text: &str| match saved(table, text) {
        Ok(text) => panic!("it was taken: {text}"),
        Err(FormatError::BadValue {
            line,
            column,
            value,
            why,
        }) => (line, column, value, why),
        Err(FormatError::BadRecord { line, why } | FormatError::DuplicateKey { line, why }) => {
            (line, String::new(), String::new(), why)
        }
        Err(error) => panic!("{error}"),
    };
    for &(table, text, line, column, value, part) in REFUSED {
        let (found_line, found_column, found_value, why) = case(table, text);
        assert_eq!(
            (found_line, found_column.as_str(), found_value.as_str()),
            (line, column, value),
            "{text}: {why}"
        );
        assert!(why.contains(part), "{text}: {why}");
    }
}
