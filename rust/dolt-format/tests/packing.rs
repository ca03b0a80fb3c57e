//! Chunks to storage files and back.

use std::collections::BTreeMap;

use dolt_format::packing::Packing;
use dolt_format::table::index::{Dictionaries, FileKind, TableIndex};
use dolt_format::table::writer::{StorageFile, TableWriter};
use dolt_format::tree::Kind;
use dolt_format::tree::chunker::MapBuilder;
use dolt_format::{Address, Chunk};

const KIB: usize = 1 << 10;

fn index_of(file: &StorageFile, data: &[u8]) -> TableIndex {
    let tail = &data[data.len() - usize::try_from(file.tail_len).unwrap()..];
    let open = match file.kind {
        FileKind::Table => TableIndex::table,
        FileKind::Archive => TableIndex::archive,
    };
    open(&file.name, tail, data.len() as u64).expect("it opens")
}

/// What a reader finds: the index and all chunks in the order in which they lie in the file.
fn read(file: &StorageFile) -> (TableIndex, Vec<Chunk>) {
    let data = file.data();
    assert_eq!(data.len(), file.len());
    let index = index_of(file, &data);
    let slice = |offset: u64, length: u64| {
        &data[usize::try_from(offset).unwrap()..usize::try_from(offset + length).unwrap()]
    };
    let addresses = index.addresses();
    assert_eq!(addresses.len(), file.chunk_count as usize);
    let mut loaded = Dictionaries::default();
    for plan in index.dictionary_plans(&addresses, &Dictionaries::default()) {
        let raw = slice(plan.offset, plan.length);
        index
            .load_dictionaries(&plan, raw, &mut loaded)
            .expect("dictionaries");
    }
    let mut chunks = Vec::new();
    for plan in index.plan(&addresses, 1 << 20, 1 << 40) {
        let raw = slice(plan.offset, plan.length);
        chunks.extend(index.decode(&plan, raw, &loaded).expect("it decodes"));
    }
    (index, chunks)
}

fn pack(mut packing: Packing, chunks: &[Chunk], portion: usize) -> StorageFile {
    let mut jobs = Vec::new();
    for some in chunks.chunks(portion) {
        jobs.extend(packing.add(some.to_vec()));
    }
    jobs.extend(packing.end());
    // The order in which they are done changes nothing.
    for job in jobs.into_iter().rev() {
        packing
            .give(job.run().expect("it compresses"))
            .expect("it is taken");
    }
    packing
        .finish(0)
        .expect("it finishes")
        .expect("it has chunks")
}

fn sorted(chunks: &[Chunk]) -> BTreeMap<Address, Chunk> {
    chunks
        .iter()
        .map(|chunk| (chunk.address(), chunk.clone()))
        .collect()
}

/// A tuple of one field.
fn tuple(field: &[u8]) -> Vec<u8> {
    [field, &1u16.to_le_bytes()].concat()
}

/// All nodes of a tree of `rows` rows, the leaves in order, the root last.
fn tree(rows: u32, value: impl Fn(u32) -> String) -> Vec<Chunk> {
    let mut builder = MapBuilder::new(Kind::Tuples);
    for row in 0..rows {
        let (key, value) = (tuple(&row.to_be_bytes()), tuple(value(row).as_bytes()));
        builder.push(&key, &value, &[]).expect("it fits");
    }
    let built = builder.finish().expect("it builds");
    built.nodes.into_iter().chain([built.root]).collect()
}

fn words(row: u32) -> String {
    format!(
        "row {} of many, {:08x}",
        row % 977,
        row.wrapping_mul(0x9e37_79b9)
    )
}

#[test]
fn a_large_tree_is_an_archive_whose_leaves_come_first() {
    let chunks = tree(200_000, words);
    let file = pack(Packing::default(), &chunks, 1000);
    assert_eq!(file.kind, FileKind::Archive);
    let (_, found) = read(&file);
    assert_eq!(sorted(&found), sorted(&chunks));
    let level = |chunk: &Chunk| {
        dolt_format::tree::Node::decode_any(chunk.contents().clone())
            .expect("a node")
            .level()
    };
    assert!(
        found.is_sorted_by_key(level),
        "inner nodes stand beside the index"
    );
    let leaves = |chunks: &[Chunk]| -> Vec<Address> {
        let leaves = chunks.iter().filter(|chunk| level(chunk) == 0);
        leaves.map(Chunk::address).collect()
    };
    assert_eq!(
        leaves(&found),
        leaves(&chunks),
        "leaves are in the order of their keys"
    );
    let mut table = TableWriter::new();
    { chunks.iter() }
        .try_for_each(|chunk| table.add(chunk))
        .expect("it fits");
    let table = table.finish().expect("it has chunks");
    assert!(
        file.len() * 4 < table.len() * 3,
        "{} of {}",
        file.len(),
        table.len()
    );
}

#[test]
fn the_file_depends_on_chunks_and_not_on_portions() {
    let chunks = tree(120_000, words);
    let whole = pack(Packing::default(), &chunks, chunks.len());
    for portion in [1, 7, 300] {
        let again = pack(Packing::default(), &chunks, portion);
        assert_eq!(again.name, whole.name, "in portions of {portion}");
    }
}

#[test]
fn an_archive_is_named_by_its_index() {
    let file = pack(Packing::default(), &tree(100_000, words), 500);
    assert_eq!(file.kind, FileKind::Archive);
    let data = file.data();
    let tail = &data[data.len() - usize::try_from(file.tail_len).unwrap()..];
    assert_eq!(file.name, Address::of(tail).to_string());
    assert_ne!(
        file.name,
        pack(Packing::default(), &tree(99_999, words), 500).name
    );
}

#[test]
fn what_has_nothing_in_common_is_no_larger_than_in_a_table_file() {
    let mut state = 1u64;
    let mut noise = || {
        let bytes = (0..4 * KIB).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        });
        Chunk::new(bytes.collect::<Vec<u8>>())
    };
    let chunks: Vec<Chunk> = (0..64).map(|_| noise()).collect();
    let file = pack(Packing::default(), &chunks, 10);
    assert_eq!(file.kind, FileKind::Table);
    assert_eq!(sorted(&read(&file).1), sorted(&chunks));
    let versions = pack(Packing::of_versions(), &chunks, 10);
    assert_eq!(versions.kind, FileKind::Table);
}

#[test]
fn versions_store_what_they_share_once() {
    let version = |number: u32| tree(2_000, move |row| words(if row == number { 7 } else { row }));
    let chunks: Vec<Chunk> = (0..64).flat_map(|number| version(number * 31)).collect();
    let one = pack(Packing::default(), &version(0), 100);
    let file = pack(Packing::of_versions(), &chunks, 100);
    assert_eq!(file.kind, FileKind::Archive);
    assert_eq!(sorted(&read(&file).1), sorted(&chunks));
    assert!(
        file.len() < 3 * one.len(),
        "{} and {}",
        file.len(),
        one.len()
    );
}

#[test]
fn chunks_that_come_twice_are_stored_once() {
    let chunks = tree(500, words);
    let twice = [chunks.clone(), chunks.clone()].concat();
    let (_, found) = read(&pack(Packing::default(), &twice, 3));
    assert_eq!(found.len(), chunks.len());
}

#[test]
fn another_turn_gives_a_table_file_another_name() {
    let chunks: Vec<Chunk> = (0..5u8).map(|n| Chunk::new(vec![n; 3])).collect();
    let names = (0..5).map(|turn| {
        let mut packing = Packing::default();
        assert!(packing.add(chunks.clone()).is_empty());
        assert!(packing.end().is_empty());
        packing
            .finish(turn)
            .expect("it finishes")
            .expect("it has chunks")
            .name
    });
    let names: std::collections::BTreeSet<String> = names.collect();
    assert_eq!(names.len(), 5);
}

#[test]
fn what_is_too_long_for_a_table_file_goes_into_an_archive() {
    let mut state = 1u32;
    let noise = (0..5 * KIB * KIB).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let chunks = [Chunk::new(noise.collect::<Vec<u8>>())];
    let file = pack(Packing::default(), &chunks, 1);
    assert_eq!(file.kind, FileKind::Archive);
    assert_eq!(read(&file).1, chunks);
}

#[test]
fn nothing_makes_no_file() {
    let mut packing = Packing::default();
    assert!(packing.end().is_empty());
    assert_eq!(packing.finish(0).expect("it finishes"), None);
}

#[test]
fn a_job_that_was_not_done_is_an_error() {
    let mut packing = Packing::default();
    let jobs = packing.add(tree(100_000, words));
    assert!(!jobs.is_empty());
    assert!(packing.finish(0).is_err());
}
