//! Tables in the other formats of text: each says what dolt's CSV says, and gives the table back.

#[path = "support/store.rs"]
mod support;
#[path = "support/texts.rs"]
mod texts;

use dolt_format::build::refusal::refuses_writes;
use dolt_format::csv::render::Renderer;
use dolt_format::{Address, FormatError, TextFormat};
use support::Store;
use texts::{REMOTES, built, records, shown};

/// What saving a table's own text comes to.
type Outcome = Result<Address, FormatError>;

/// Saves a table's own text: read anew, in large and in small pieces, and passed over.
fn saved_again(store: &Store, address: Address, format: TextFormat) -> Option<[Outcome; 3]> {
    let (table, schema) = store.table(address);
    let renderer = Renderer::new(&schema)
        .expect("a renderer")
        .in_format(format);
    let (text, layout) = shown(store, &table, &renderer);
    if refuses_writes(&schema).is_some() {
        return None;
    }
    let save = |old, step| {
        let built = built(store, &schema, address, format, old, &text, step)?;
        assert_eq!(built.format, format);
        Ok(built.table.address())
    };
    let anew = save(None, 64 << 10);
    // Without optimisation the rows of `flights` take seconds each time; small pieces are met in
    // every other table.
    let in_pieces = match table.rows.tree_count() {
        100_000.. => anew.clone(),
        _ => save(None, 977),
    };
    Some([anew, in_pieces, save(Some(&layout), 64 << 10)])
}

#[test]
fn every_table_gives_itself_back_in_every_format() {
    let mut count = 0;
    support::each_table_of(&REMOTES, |store, name, address, _| {
        let Some(as_csv) = saved_again(store, address, TextFormat::Csv) else {
            return;
        };
        count += 1;
        for format in TextFormat::ALL {
            let [anew, in_pieces, over] = saved_again(store, address, format).expect("written");
            assert_eq!(anew, in_pieces, "{name} as {format}");
            // Some values of old data have another text, or another form, once they are read.
            if !name.starts_with("edge") {
                assert_eq!(anew, Ok(address), "{name} as {format}");
            }
            assert_eq!(
                anew.is_ok(),
                as_csv[0].is_ok(),
                "{name} as {format}: {anew:?}"
            );
            if anew.is_ok() {
                assert_eq!(anew, as_csv[0], "{name} as {format}");
            }
            assert_eq!(over, as_csv[2], "{name} as {format}");
        }
    });
    assert!(count > 55, "{count}");
}

#[test]
fn tsv_is_csv_with_tabs() {
    let mut quoted = 0;
    support::each_table_of(&REMOTES, |store, name, address, expected| {
        let (table, schema) = store.table(address);
        let renderer = Renderer::new(&schema).expect(name);
        let (text, _) = shown(store, &table, &renderer.in_format(TextFormat::Tsv));
        let mut tsv = Vec::new();
        for record in records(&expected) {
            for (position, field) in record.iter().enumerate() {
                tsv.extend_from_slice(if position > 0 { b"\t" } else { b"" });
                let Some(field) = field else { continue };
                let head = String::from_utf8_lossy(field);
                let space = head.chars().next().is_some_and(char::is_whitespace);
                let special = field.iter().any(|byte| b"\t\"\r\n".contains(byte));
                if field.is_empty() || space || special || field == b"\\." {
                    quoted += 1;
                    tsv.push(b'"');
                    for byte in field {
                        tsv.extend(std::iter::repeat_n(*byte, 1 + usize::from(*byte == b'"')));
                    }
                    tsv.push(b'"');
                } else {
                    tsv.extend_from_slice(field);
                }
            }
            tsv.push(b'\n');
        }
        assert!(text == tsv, "{name}");
    });
    assert!(quoted > 100, "{quoted}");
}
