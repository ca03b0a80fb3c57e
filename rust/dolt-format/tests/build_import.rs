//! Text is taken, refused and stored as `dolt table import -r` does it (`tests/golden/import`).

#[path = "support/store.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use dolt_format::FormatError;
use dolt_format::build::{BuiltTable, TableBuild};
use dolt_format::csv::render::{Renderer, Values};
use dolt_format::message::table::Table;
use dolt_format::tree::{Kind, Node};
use serde_json::Value;
use support::Store;

fn recorded(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(support::golden("import").join(name)).expect("a golden");
    serde_json::from_str(&text).expect("JSON")
}

/// A text of the goldens, as their README describes it.
fn bytes(text: &Value) -> Vec<u8> {
    let part = |name: &str| text.get(name).and_then(Value::as_str).unwrap_or_default();
    let times = text.get("times").and_then(Value::as_u64).unwrap_or(1);
    let times = usize::try_from(times).expect("a count");
    match text {
        Value::String(text) => text.clone().into_bytes(),
        _ if text.get("hex").is_some() => hex::decode(part("hex")).expect("hex").repeat(times),
        _ => {
            let middle = part("repeat").repeat(times);
            [part("before"), &middle, part("after")]
                .concat()
                .into_bytes()
        }
    }
}

/// The value tuples of a table by the key column's number.
fn rows(store: &Store, table: &Table) -> BTreeMap<i32, Vec<u8>> {
    let mut rows = BTreeMap::new();
    let mut nodes = vec![table.rows.clone()];
    while let Some(node) = nodes.pop() {
        for item in 0..node.len() {
            if node.is_leaf() {
                let key = node.key(item).first_chunk().expect("an int key");
                rows.insert(i32::from_le_bytes(*key), node.value(item).to_vec());
            } else {
                let child = store.get(node.address(item)).contents().clone();
                nodes.push(Node::decode(Kind::Tuples, child).expect("a node"));
            }
        }
    }
    rows
}

struct Imports {
    store: Store,
    tables: BTreeMap<String, dolt_format::Address>,
}

impl Imports {
    fn open() -> Self {
        let (store, root) = Store::open(&support::golden("import/remote"));
        let head = store.branches(root)["main"];
        let tables = store.tables(head);
        Self { store, tables }
    }

    fn build(&self, table: &str, text: &[u8]) -> Result<BuiltTable, FormatError> {
        let address = self.tables[table];
        let (_, schema) = self.store.table(address);
        let mut build = TableBuild::new(schema, self.store.get(address).clone())?;
        build.feed(text)?;
        build.finish()
    }

    /// The text of a built table, with its header.
    fn render(&self, table: &str, built: &BuiltTable) -> String {
        let (_, schema) = self.store.table(self.tables[table]);
        let renderer = Renderer::new(&schema).expect("a renderer");
        let names = schema.columns.iter().map(|column| column.name.as_str());
        let mut out = dolt_format::csv::header(names);
        let table = Table::decode(built.table.contents()).expect("a table");
        assert!(table.rows.is_leaf(), "one leaf is enough for these texts");
        renderer
            .render(&table.rows, &Values::default(), &mut out)
            .expect("it renders");
        String::from_utf8(out).expect("UTF-8")
    }
}

/// What becomes of a text that dolt refuses or stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ours {
    /// Refused, where dolt takes it.
    Refused,
    /// Taken, where dolt refuses it.
    Taken,
    /// Stored as something else.
    Other,
}
use Ours::{Other, Refused, Taken};

const INTS: &[&str] = &[
    "tinyint",
    "tinyint_u",
    "smallint",
    "smallint_u",
    "mediumint",
    "mediumint_u",
    "int_s",
    "int_u",
    "bigint_s",
    "bigint_u",
    "bool_",
];
const FLOATS: &[&str] = &["float_", "float_7_4", "float_u"];
const DOUBLES: &[&str] = &["double_", "double_8_2", "double_u"];
const WIDE_DECIMALS: &[&str] = &["dec_5_2", "dec_10_0", "dec_65_30", "dec_5_2_u"];
const DECIMALS: &[&str] = &["dec_5_2", "dec_10_0", "dec_65_30", "dec_5_2_u", "dec_2_2"];
const BITS: &[&str] = &["bit_1", "bit_8", "bit_64"];
const TIMES: &[&str] = &["time_", "time_6"];
const LONG_STRINGS: &[&str] = &[
    "varchar_5",
    "varchar_ci",
    "varchar_latin1",
    "varchar_ascii",
    "binary_4",
    "varbinary_4",
    "tinytext_",
    "text_",
    "mediumtext_",
    "longtext_",
    "tinyblob_",
    "blob_",
    "longblob_",
];

/// Where text is deliberately not treated as dolt treats it: each of the texts, for each of the
/// tables, with the reason. Bytes that are no UTF-8 show as U+FFFD.
const DIFFERENCES: &[(Ours, &[&str], &[&str], &str)] = &[
    (
        Refused,
        INTS,
        &["\" \"", ".", "-", "+"],
        "dolt reads 0 from a text without digits",
    ),
    (Refused, FLOATS, &["\" \"", ".", "-", "+", "1e"], "the same"),
    (
        Refused,
        DOUBLES,
        &["\" \"", ".", "-", "+", "1e"],
        "the same",
    ),
    (Refused, DECIMALS, &["\" \"", ".", "-", "+"], "the same"),
    (Refused, TIMES, &[".", "-"], "the same"),
    (
        Refused,
        &["bigint_s"],
        &[
            "9223372036854775808",
            "-9223372036854775809",
            "9223372036854775806.5",
            "9223372036854775807.4",
            "9223372036854775807.5",
        ],
        "dolt wraps them to the lowest number",
    ),
    (
        Taken,
        FLOATS,
        &["3.4028235e38", "-3.4028235e38"],
        "dolt exports the largest float so and does not read it",
    ),
    (
        Refused,
        DOUBLES,
        &["1e400", "1.7976931348623159e308"],
        "dolt stores infinity",
    ),
    (
        Refused,
        WIDE_DECIMALS,
        &["0x10", "0X1f", "0x1f", "0b1", "0o7", "1_0"],
        "no tool writes decimals so",
    ),
    (Refused, &["year_"], &["1_0"], "the same"),
    (
        Other,
        &["dec_5_2", "dec_5_2_u"],
        &["1e2"],
        "dolt stores it without the column's scale, so that equal rows hash differently",
    ),
    (
        Taken,
        BITS,
        &[""],
        "dolt exports NULL so and does not read it",
    ),
    (
        Other,
        &["year_"],
        &["0"],
        "dolt exports the year 0 so and reads 2000",
    ),
    (
        Refused,
        TIMES,
        &[
            "838:59:59.5",
            "838:59:59.000001",
            "839:00:00",
            "-838:59:59.5",
            "-839:00:00",
            "20240209101112",
            "8390000",
        ],
        "dolt stores the longest time there is instead",
    ),
    (Refused, TIMES, &["--1", "-+1"], "two signs make no time"),
    (
        Other,
        LONG_STRINGS,
        &["\"a\r\nb\""],
        "dolt drops the CR: an exported value would not come back; so it is only dropped where \
         all lines end in CR LF",
    ),
    (
        Refused,
        &["char_3"],
        &["\"a\r\nb\""],
        "the same, and with the CR it is too long",
    ),
    (
        Refused,
        &["varchar_latin1"],
        &[
            "\u{fffd}",
            "a\u{fffd}b",
            "\u{fffd}(",
            "\u{fffd}\u{fffd}",
            "\u{fffd}\u{fffd}\u{fffd}",
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
            "abc\u{fffd}",
        ],
        "text is UTF-8, whatever the column's character set",
    ),
    (
        Taken,
        &["varchar_ascii", "varchar_latin1"],
        &[
            "e\u{301}e\u{301}",
            "ééé",
            "éééé",
            "ééééé",
            "😀😀😀",
            "😀😀😀😀😀",
        ],
        "dolt's SQL counts the characters and its export shows such values; its import counts \
         the bytes",
    ),
    (
        Refused,
        &["enum_", "enum_ci"],
        &["0", "-0", "00"],
        "dolt stores the number of no member",
    ),
    (Refused, &["enum_empty"], &["0"], "the same"),
    (
        Taken,
        &["vector_3"],
        &["\"[1,2,3]\"", "\"[1.5, -2, 3e1]\""],
        "dolt's import takes no vector at all, not even what dolt exports",
    ),
];

#[test]
fn every_value_is_taken_as_import_takes_it() {
    let imports = Imports::open();
    let mut found = BTreeSet::new();
    let mut count = 0;
    for table in recorded("values.json") {
        let name = table["table"].as_str().expect("a name");
        let (stored, _) = imports.store.table(imports.tables[name]);
        let stored = rows(&imports.store, &stored);
        let cases = table["cases"].as_array().expect("cases");
        let found_before = found.len();
        let mut all = b"k,v\n".to_vec();
        for (key, case) in (0i32..).zip(cases) {
            let field = bytes(&case["text"]);
            let line = [format!("{key},").as_bytes(), &field, b"\n"].concat();
            let built = imports.build(name, &[b"k,v\n", line.as_slice()].concat());
            let ours = built.ok().map(|built| {
                let table = Table::decode(built.table.contents()).expect("a table");
                rows(&imports.store, &table).remove(&key).expect("its row")
            });
            assert_eq!(
                stored.contains_key(&key),
                case.get("refused").is_none(),
                "{name}"
            );
            let difference = match (ours, stored.get(&key)) {
                (ours, dolts) if ours.as_ref() == dolts => None,
                (None, _) => Some(Refused),
                (_, None) => Some(Taken),
                _ => Some(Other),
            };
            let text = String::from_utf8_lossy(&field).into_owned();
            found.extend(difference.map(|ours| (ours, name.to_owned(), text)));
            if stored.contains_key(&key) {
                all.extend_from_slice(&line);
            }
            count += 1;
        }
        if found.len() == found_before {
            let built = imports.build(name, &all).expect("all of them");
            assert_eq!(built.table.address(), imports.tables[name], "{name}");
        }
    }
    assert!(count > 7000, "{count} texts");
    let known = DIFFERENCES.iter().flat_map(|(ours, tables, texts, _)| {
        let table = move |table: &&'static str| (*ours, *table, *texts);
        tables.iter().map(table)
    });
    assert_differences(&found, known);
}

/// Every difference that was found is known, and every known one was found.
fn assert_differences<'a>(
    found: &BTreeSet<(Ours, String, String)>,
    known: impl Iterator<Item = (Ours, &'a str, &'a [&'a str])>,
) {
    let known: BTreeSet<(Ours, String, String)> = known
        .flat_map(|(ours, table, texts)| {
            let own = move |text: &&str| (ours, table.to_owned(), (*text).to_owned());
            texts.iter().map(own)
        })
        .collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "new: {new:#?}, gone: {gone:#?}"
    );
}

/// As `DIFFERENCES`, of whole texts.
const TEXT_DIFFERENCES: &[(Ours, &str, &[&str], &str)] = &[
    (
        Taken,
        "plain",
        &["A,B,C\n1,x,2\n"],
        "names of columns have no case in MySQL; dolt fails with a bug report",
    ),
    (
        Taken,
        "odd_names",
        &["a B,\"C,D\",\"E\"\"F\",Ü\n1,2,3,4\n"],
        "the same",
    ),
    (
        Refused,
        "plain",
        &["a,b,c,d\n1,x,2,3\n"],
        "dolt drops a column that the table lacks",
    ),
    (
        Refused,
        "plain",
        &["a,b,b\n1,x,y\n", "a,a,b\n1,2,y\n", "a,A,b\n1,1,y\n"],
        "dolt takes another column than the second of a name",
    ),
    (
        Refused,
        "plain",
        &["\"a\" ,b,c\n1,x,2\n", "a,b,\"c\n1,x,2\n"],
        "a header's quotes are as strict as a row's",
    ),
    (
        Taken,
        "odd_names",
        &["A b,\"c,d\",e\"f,ü\n1,2,3,4\n"],
        "the same: a quote inside a field without quotes is one",
    ),
    (
        Taken,
        "plain",
        &["\n\na,b,c\n1,x,2\n"],
        "empty lines are passed over everywhere",
    ),
    (
        Refused,
        "plain",
        &[
            "a,b,c",
            "a,b,c\n1,x,2",
            "a,b,c\n1,x,2\r",
            "a,b,c\n1,\"x\",\"2\"",
            "a,b,c\n1,x,\"2\"\r",
        ],
        "a last line without its end may be cut off",
    ),
    (
        Refused,
        "plain",
        &["a,b,c\r1,x,2\r"],
        "dolt reads no row where lines end in CR alone",
    ),
    (
        Refused,
        "plain",
        &[
            "\u{fffd}\u{fffd}a\u{0},\u{0}b\u{0},\u{0}c\u{0}\n\u{0}1\u{0},\u{0}x\u{0},\u{0}2\u{0}\n\u{0}",
            "\u{fffd}\u{fffd}\u{0}a\u{0},\u{0}b\u{0},\u{0}c\u{0}\n\u{0}1\u{0},\u{0}x\u{0},\u{0}2\u{0}\n",
        ],
        "text is UTF-8, not UTF-16",
    ),
    (
        Other,
        "plain",
        &["a,b,c\n1,\"x\r\ny\",2\n", "a,b,c\n1,\"x\r\ny\",2\r\n"],
        "a CR inside quotes is kept where the first line ends in LF alone",
    ),
    (
        Refused,
        "plain",
        &["a,b,c\n1,x,\" \"\n"],
        "dolt reads 0 from a text without digits",
    ),
    (
        Other,
        "single",
        &["b\nx\n\ny\n", "b\n\n", "b\n\"\"\n\n"],
        "dolt exports NULL as an empty line here, and does not read it",
    ),
];

#[test]
fn whole_texts_are_taken_as_import_takes_them() {
    let imports = Imports::open();
    let mut found = BTreeSet::new();
    for case in recorded("texts.json") {
        let name = case["table"].as_str().expect("a name");
        let text = bytes(&case["text"]);
        let ours = imports.build(name, &text).ok();
        let ours = ours.map(|built| imports.render(name, &built));
        let dolts = case
            .get("stored")
            .map(|text| text.as_str().expect("text").to_owned());
        let difference = match (ours, dolts) {
            (ours, dolts) if ours == dolts => continue,
            (None, _) => Refused,
            (_, None) => Taken,
            _ => Other,
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        found.insert((difference, name.to_owned(), text));
    }
    let known = TEXT_DIFFERENCES.iter();
    let known = known.map(|(ours, table, texts, _)| (*ours, *table, *texts));
    assert_differences(&found, known);
}

#[test]
fn a_counter_goes_on_behind_the_highest_number() {
    let imports = Imports::open();
    for (text, shown, next) in [
        ("a,b\n7,1\n,2\n0,3\n", "a,b\n7,1\n8,2\n9,3\n", 10),
        ("b\n1\n2\n", "a,b\n1,1\n2,2\n", 3),
        ("a,b\n5,1\n3,1\n", "a,b\n3,1\n5,1\n", 6),
        ("a,b\n-5,1\n", "a,b\n-5,1\n", 0),
    ] {
        let built = imports.build("counted", text.as_bytes()).expect(text);
        assert_eq!(imports.render("counted", &built), shown);
        let table = Table::decode(built.table.contents()).expect("a table");
        assert_eq!(table.auto_increment, next, "{text}");
    }
    let full = imports
        .build("counted", b"a,b\n2147483647,1\n,2\n")
        .expect_err("no number is left");
    assert!(
        full.to_string().contains("next number would be 2147483648"),
        "{full}"
    );
}
