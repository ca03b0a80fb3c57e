//! Table files, archives and manifests that dolt and a foreign writer made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dolt_format::manifest::Manifest;
use dolt_format::table::index::{Dictionaries, TableIndex};
use dolt_format::table::writer::TableWriter;
use dolt_format::{Address, Chunk, FormatError};
use serde_json::Value;
use sha2::Digest;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(name)
}

fn open(name: &str, file: &[u8], archive: bool) -> Result<TableIndex, FormatError> {
    let len = file.len() as u64;
    if archive {
        return TableIndex::archive(name, file, len);
    }
    let count = file
        .len()
        .checked_sub(20)
        .and_then(|at| file[at..].first_chunk::<4>());
    let count = count.map_or(0, |raw| u32::from_be_bytes(*raw));
    let tail = usize::try_from(TableIndex::table_tail_len(count)).unwrap_or(usize::MAX);
    TableIndex::table(name, &file[file.len().saturating_sub(tail)..], len)
}

fn read_all(
    index: &TableIndex,
    file: &[u8],
    addresses: &[Address],
) -> Result<Vec<Chunk>, FormatError> {
    let slice = |offset: u64, length: u64| {
        &file[usize::try_from(offset).unwrap()..usize::try_from(offset + length).unwrap()]
    };
    let mut loaded = Dictionaries::default();
    for plan in index.dictionary_plans(addresses, &loaded.clone()) {
        index.load_dictionaries(&plan, slice(plan.offset, plan.length), &mut loaded)?;
    }
    let mut chunks = Vec::new();
    for plan in index.plan(addresses, 64, 100_000) {
        chunks.extend(index.decode(&plan, slice(plan.offset, plan.length), &loaded)?);
    }
    Ok(chunks)
}

/// Each golden storage file, with what `expected.json` says of it.
fn files() -> Vec<(PathBuf, Value)> {
    let text = std::fs::read_to_string(golden("storage/expected.json")).expect("it is there");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let mut found = Vec::new();
    for (store, value) in expected["stores"].as_object().expect("stores") {
        for (name, file) in value["files"].as_object().expect("files") {
            found.push((golden("storage").join(store).join(name), file.clone()));
        }
    }
    for name in ["foreign"] {
        if let Some(foreign) = expected[name].as_object() {
            for (file, value) in foreign {
                found.push((golden("storage").join(name).join(file), value.clone()));
            }
        }
    }
    assert!(found.len() >= 12, "{}", found.len());
    found
}

fn addresses_of(expected: &Value) -> Vec<Address> {
    let chunks = expected["chunks"].as_array().into_iter().flatten();
    chunks
        .filter_map(|chunk| chunk["address"].as_str()?.parse().ok())
        .collect()
}

#[test]
fn every_chunk_of_every_golden_file_is_read() {
    let mut read = 0;
    for (path, expected) in files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.contains("collision") {
            continue;
        }
        let file = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let archive = path.extension().is_some();
        let index = open(&name, &file, archive).unwrap_or_else(|error| panic!("{error}"));
        let addresses = addresses_of(&expected);
        assert!(
            addresses.iter().all(|address| index.contains(*address)),
            "{name}"
        );
        let all = index.addresses();
        let chunks = read_all(&index, &file, &all).unwrap_or_else(|error| panic!("{error}"));
        let by_address: BTreeMap<_, _> = chunks.iter().map(|c| (c.address(), c)).collect();
        if let Some(digest) = expected["all_chunks_digest"].as_str() {
            let mut hasher = sha2::Sha256::new();
            for (address, chunk) in &by_address {
                hasher.update(address.as_bytes());
                hasher.update(u32::try_from(chunk.contents().len()).unwrap().to_be_bytes());
                hasher.update(sha2::Sha256::digest(chunk.contents()));
            }
            assert_eq!(hex::encode(hasher.finalize()), digest, "{name}");
            read += 1;
        }
    }
    assert!(read >= 8, "{read} files had a digest");
}

#[test]
fn table_files_are_written_as_dolt_writes_them() {
    let mut written = 0;
    for (path, _) in files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some() || path.to_string_lossy().contains("foreign") {
            continue;
        }
        let file = std::fs::read(&path).expect("it is there");
        let index = open(&name, &file, false).expect("it opens");
        let mut in_order = index.addresses();
        in_order.sort_by_key(|address| index.plan(&[*address], 0, 0)[0].offset);
        let chunks = read_all(&index, &file, &in_order).expect("it reads");
        let by_address: BTreeMap<_, _> = chunks.iter().map(|c| (c.address(), c)).collect();
        if by_address.len() != in_order.len() {
            continue; // a conjoined file holds some chunks twice
        }
        let mut writer = TableWriter::new();
        for address in in_order {
            writer.add(by_address[&address]).expect("it takes it");
        }
        let table = writer.finish().expect("it has chunks");
        assert_eq!((table.name.as_str(), table.data()), (name.as_str(), file));
        written += 1;
    }
    assert!(written >= 4, "{written}");
}

#[test]
fn equal_prefixes_are_told_apart() {
    let path = golden("storage/foreign/synthetic_prefix_collision");
    let file = std::fs::read(path).expect("it is there");
    let index = open("synthetic_prefix_collision", &file, false).expect("it opens");
    let all = index.addresses();
    assert!(all.len() >= 2 && all.iter().all(|address| index.contains(*address)));
    assert!(
        all.windows(2)
            .any(|pair| pair[0].prefix() == pair[1].prefix())
    );
}

#[test]
fn damaged_files_are_errors_that_name_them() {
    for (path, _) in files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let file = std::fs::read(&path).expect("it is there");
        if file.len() > 30_000 || name.contains("collision") {
            continue;
        }
        let archive = path.extension().is_some();
        let intact = open(&name, &file, archive).expect("it opens").addresses();
        let step = file.len() / 150 + 1;
        for at in (0..file.len())
            .step_by(step)
            .chain(file.len() - 30..file.len())
        {
            let cut = &file[..at];
            if let Ok(index) = open(&name, cut, archive) {
                panic!("{name} cut to {at} bytes opens with {} chunks", index.len());
            }
            for flip in [1, 0x80] {
                let mut damaged = file.clone();
                damaged[at] ^= flip;
                let read = open(&name, &damaged, archive)
                    .and_then(|index| read_all(&index, &damaged, &intact));
                // Whatever comes out was verified, and damage that shows is named.
                match read {
                    Ok(chunks) => assert!(chunks.len() <= intact.len() * 2),
                    Err(error) => assert!(
                        error.to_string().contains("chunk") || error.to_string().contains(&name),
                        "{error}"
                    ),
                }
            }
        }
    }
}

#[test]
fn manifests_are_read_and_written() {
    let text = std::fs::read_to_string(golden("storage/expected.json")).expect("it is there");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let mut seen = 0;
    for store in expected["stores"].as_object().expect("stores").values() {
        let text = store["manifest"]["text"].as_str().expect("text");
        let manifest = Manifest::parse(text).expect("it parses");
        assert_eq!(manifest.text(), text);
        // Writing the same root again gives the lock that dolt computed, whatever the order of
        // specs was when it did.
        let again = manifest.succeed(manifest.root, &[], &[]);
        if manifest.specs.is_sorted() {
            assert_eq!(again.lock, manifest.lock);
            seen += 1;
        }
        assert_eq!(again.specs.len(), manifest.specs.len());
    }
    assert!(seen >= 2);
    let empty = Manifest::EMPTY.succeed(Address::EMPTY, &[], &[]);
    assert_eq!(empty.lock.to_string(), "k20cqh1q0l7urqple04mcfpibg3lmeln");
}

#[test]
fn other_manifests_are_refused() {
    let lock = "k20cqh1q0l7urqple04mcfpibg3lmeln";
    let zero = "0".repeat(32);
    for text in [
        String::new(),
        format!("6:__DOLT__:{lock}:{zero}:{zero}"),
        format!("5:__LD_1__:{lock}:{zero}:{zero}"),
        format!("5:__DOLT__:{lock}:{zero}"),
        format!("5:__DOLT__:{lock}:{zero}:{zero}\n"),
        format!("5:__DOLT__:{lock}:{zero}:{zero}:{lock}"),
        format!("5:__DOLT__:{lock}:{zero}:{zero}:{lock}:x"),
        format!("5:__DOLT__:{lock}:{zero}:{zero}:{}:3", "v".repeat(32)),
    ] {
        assert!(Manifest::parse(&text).is_err(), "{text:?}");
    }
    let address = [7; 20];
    assert!(Manifest::from_item("5", "__DOLT__", &address, &address, "", "").is_err());
    assert!(Manifest::from_item("4", "__DOLT__", &address, &address[1..], "", "").is_err());
    let item = Manifest::from_item("4", "__DOLT__", &address, &address, "", "").expect("it parses");
    assert!(item.specs.is_empty());
}

#[test]
fn an_index_of_any_size_has_its_addresses_and_no_others() {
    for count in [0, 1, 2, 3, 5, 64, 65, 1000u32] {
        let chunks: Vec<Chunk> = (0..count)
            .map(|number| Chunk::new(number.to_be_bytes().to_vec()))
            .collect();
        let mut writer = TableWriter::new();
        for chunk in &chunks {
            writer.add(chunk).expect("it takes it");
        }
        let Some(file) = writer.finish() else {
            assert_eq!(count, 0);
            continue;
        };
        let index = open(&file.name, &file.data(), false).expect("it is well formed");
        for chunk in &chunks {
            assert!(index.contains(chunk.address()));
            let mut other = *chunk.address().as_bytes();
            other[19] ^= 1;
            assert!(!index.contains(Address::new(other)));
            other[0] ^= 0x80;
            assert!(!index.contains(Address::new(other)));
        }
        assert!(!index.contains(Address::new([0xff; 20])));
        assert!(!index.contains(Address::EMPTY));
    }
}
