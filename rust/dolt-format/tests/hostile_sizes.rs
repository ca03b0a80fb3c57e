//! Few stored bytes that promise very much are refused before they cost memory or time.

use bytes::Bytes;
use dolt_format::csv::extent::TextLayout;
use dolt_format::csv::render::{Render, Renderer};
use dolt_format::message::schema::{Column, TableSchema};
use dolt_format::table::index::{Dictionaries, TableIndex};
use dolt_format::table::writer::TableWriter;
use dolt_format::tree::chunker::MapBuilder;
use dolt_format::tree::{Kind, Node, Traversal};
use dolt_format::{Address, Chunk, FormatError};
use flatbuffers::FlatBufferBuilder;

const MIB: usize = 1 << 20;

/// An archive with one chunk span, after one dictionary span where there is one.
fn archive(address: Address, dictionary: Option<&[u8]>, span: &[u8]) -> Vec<u8> {
    let mut file = dictionary.unwrap_or_default().to_vec();
    let first = file.len() as u64;
    file.extend_from_slice(span);
    let data_len = file.len() as u64;
    let (spans, dictionary_id) = if dictionary.is_some() {
        (2u32, 1u32)
    } else {
        (1, 0)
    };
    if dictionary.is_some() {
        file.extend_from_slice(&first.to_be_bytes());
    }
    file.extend_from_slice(&data_len.to_be_bytes());
    let (prefix, suffix) = address.as_bytes().split_at(8);
    file.extend_from_slice(prefix);
    file.extend_from_slice(&dictionary_id.to_be_bytes());
    file.extend_from_slice(&spans.to_be_bytes());
    file.extend_from_slice(suffix);
    file.extend_from_slice(&(8 * u64::from(spans) + 28).to_be_bytes());
    file.extend_from_slice(&spans.to_be_bytes());
    file.extend_from_slice(&1u32.to_be_bytes());
    file.extend_from_slice(&[0; 4 + 192]);
    file.extend_from_slice(b"\x03DOLTARC");
    file
}

fn read(file: &[u8], address: Address) -> Result<Vec<Chunk>, FormatError> {
    let index = TableIndex::archive("bomb", file, file.len() as u64)?;
    let slice = |offset: u64, length: u64| {
        let at = |offset| usize::try_from(offset).expect("it is in the file");
        &file[at(offset)..at(offset + length)]
    };
    let mut loaded = Dictionaries::default();
    for plan in index.dictionary_plans(&[address], &loaded.clone()) {
        index.load_dictionaries(&plan, slice(plan.offset, plan.length), &mut loaded)?;
    }
    let plans = index.plan(&[address], 0, 0);
    let [plan] = plans.as_slice() else {
        panic!("{} plans", plans.len());
    };
    index.decode(plan, slice(plan.offset, plan.length), &loaded)
}

fn refusal<T: std::fmt::Debug>(result: Result<T, FormatError>, part: &str) {
    let error = result.expect_err("it is refused").to_string();
    assert!(error.contains(part), "{error}");
}

fn zstd(contents: &[u8], pledged: bool) -> Vec<u8> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).expect("it starts");
    encoder.include_contentsize(pledged).expect("it can be set");
    if pledged {
        let len = Some(contents.len() as u64);
        encoder.set_pledged_src_size(len).expect("it can be set");
    }
    std::io::Write::write_all(&mut encoder, contents).expect("it compresses");
    encoder.finish().expect("it ends")
}

#[test]
fn a_chunk_longer_than_any_is_refused() {
    let zeros = vec![0; 17 * MIB];
    let address = Address::of(&zeros);
    let mut record = snap::raw::Encoder::new()
        .compress_vec(&zeros)
        .expect("it compresses");
    record.extend_from_slice(&crc32c::crc32c(&record).to_be_bytes());
    refusal(
        read(&archive(address, None, &record), address),
        "promises 17825792 bytes",
    );

    let dictionary = zstd(b"a dictionary of raw content", true);
    for (pledged, part) in [(true, "promises 17825792 bytes"), (false, "zstd")] {
        let file = archive(address, Some(&dictionary), &zstd(&zeros, pledged));
        assert!(file.len() < 20_000, "{}", file.len());
        refusal(read(&file, address), part);
    }
}

#[test]
fn a_dictionary_longer_than_any_is_refused() {
    let (contents, zeros) = (b"contents", vec![0; 2 * MIB]);
    let address = Address::of(contents);
    for (pledged, part) in [(true, "promises 2097152 bytes"), (false, "zstd")] {
        let file = archive(address, Some(&zstd(&zeros, pledged)), &zstd(contents, true));
        refusal(read(&file, address), part);
    }
    let file = archive(address, Some(&zstd(b"short", true)), &zstd(contents, false));
    let chunks = read(&file, address).expect("an honest archive");
    assert_eq!(chunks, [Chunk::new(contents.as_slice())]);
}

#[test]
fn a_record_that_breaks_dolts_fsck_is_not_written() {
    let mut noise = vec![0; 5 * MIB];
    let mut state = 1u32;
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    let mut writer = TableWriter::new();
    refusal(writer.add(&Chunk::new(noise)), "4194304");
}

fn schema(sql_type: &str, encoding: u8) -> TableSchema {
    TableSchema {
        columns: vec![Column {
            name: "v".to_owned(),
            sql_type: sql_type.to_owned(),
            encoding,
            nullable: true,
            ..Column::default()
        }],
        ..TableSchema::default()
    }
}

/// A leaf of a keyless table of one column, with one row.
fn keyless_leaf(times: u64, field: &[u8], addresses: &[u16]) -> Node {
    let mut value = times.to_le_bytes().to_vec();
    value.extend_from_slice(field);
    value.extend_from_slice(&8u16.to_le_bytes());
    value.extend_from_slice(&2u16.to_le_bytes());
    let key = [&[7; 16][..], &1u16.to_le_bytes()].concat();
    let mut builder = MapBuilder::new(Kind::Tuples);
    builder.push(&key, &value, addresses).expect("it fits");
    let root = builder.finish().expect("it builds").root;
    Node::decode(Kind::Tuples, root.contents().clone()).expect("a leaf")
}

#[test]
fn a_row_that_occurs_too_often_to_be_shown_is_refused() {
    let renderer = Renderer::new(&schema("int", 7)).expect("a layout");
    let shown = |times: u64| {
        let leaf = keyless_leaf(times, &42i32.to_le_bytes(), &[]);
        Render::new(renderer.clone(), vec![leaf]).and_then(|mut render| render.result())
    };
    assert_eq!(shown(3).expect("it is shown"), [b"42\n42\n42\n"]);
    refusal(shown(0), "occurs 0 times");
    for times in [1 << 29, u64::MAX] {
        refusal(shown(times), "above 1073741824");
    }
}

/// A blob node; of a leaf `children` is empty, of an inner node `payload`.
fn blob(level: u8, payload: &[u8], children: &[Address], leaves_below: u64) -> Chunk {
    let mut b = FlatBufferBuilder::new();
    let payload = b.create_vector(payload);
    let raw: Vec<u8> = children
        .iter()
        .flat_map(|child| *child.as_bytes())
        .collect();
    let raw = b.create_vector(&raw);
    // Zig-zag differences: the first child's leaves, then no change.
    let mut counts = Vec::new();
    if !children.is_empty() {
        let mut first = 2 * leaves_below;
        while first >= 0x80 {
            counts.push((first & 0x7f) as u8 | 0x80);
            first >>= 7;
        }
        counts.push(first as u8);
        counts.resize(counts.len() + children.len() - 1, 0);
    }
    let counts = b.create_vector(&counts);
    let field = |slot: u16| 4 + 2 * slot;
    let table = b.start_table();
    b.push_slot_always(field(0), payload);
    b.push_slot_always(field(1), raw);
    b.push_slot_always(field(2), counts);
    let total = if children.is_empty() {
        1
    } else {
        leaves_below * children.len() as u64
    };
    b.push_slot(field(3), total, 0);
    b.push_slot(field(4), level, 0);
    let table = b.end_table(table);
    b.finish(table, Some("BLOB"));
    let data = b.finished_data();
    let [_, len @ ..] = u32::try_from(data.len()).expect("short").to_be_bytes();
    Chunk::new([&[0x1b], &len[..], data].concat())
}

#[test]
fn a_value_whose_tree_names_one_leaf_endlessly_is_refused() {
    let renderer = Renderer::new(&schema("longblob", 138)).expect("a layout");
    for (payload, levels, promised) in [
        (&b"aa"[..], 6, 5000u32), // more than its row promises
        (b"", 6, 5000),           // nothing, for ever
    ] {
        let mut nodes = vec![blob(0, payload, &[], 0)];
        for level in 1..=levels {
            let child = nodes.last().expect("a leaf").address();
            nodes.push(blob(
                level,
                b"",
                &[child; 100],
                100u64.pow(u32::from(level) - 1),
            ));
        }
        let root = nodes.last().expect("a root").address();
        let mut field = vec![250];
        field.extend_from_slice(&promised.to_be_bytes()[1..]);
        field.extend_from_slice(root.as_bytes());
        let leaf = keyless_leaf(1, &field, &[12]);
        let mut render = Render::new(renderer.clone(), vec![leaf]).expect("it starts");
        let mut asked = 0;
        loop {
            let needs = render.needs(10);
            let [address] = needs.as_slice() else { break };
            let chunk = nodes.iter().find(|node| node.address() == *address);
            render
                .feed(&[chunk.expect("it is there").clone()])
                .expect("each node is sound");
            asked += 1;
        }
        assert_eq!(asked, nodes.len(), "each node is asked for once");
        refusal(render.result(), "and more");
    }
}

#[test]
fn a_value_longer_than_can_be_shown_is_not_read() {
    let renderer = Renderer::new(&schema("longblob", 138)).expect("a layout");
    let mut field = vec![251];
    field.extend_from_slice(&u32::MAX.to_be_bytes());
    field.extend_from_slice(Address::of(b"a root").as_bytes());
    let leaf = keyless_leaf(1, &field, &[13]);
    refusal(Render::new(renderer, vec![leaf]), "4294967295 bytes");
}

/// An inner node of rows with these children of `count` rows each, at least 64.
fn rows(level: u8, children: &[Address], count: u16) -> Chunk {
    let mut b = FlatBufferBuilder::new();
    let keys: Vec<u8> = (0..children.len())
        .flat_map(|at| [at as u8, 1, 0])
        .collect();
    let offsets: Vec<u16> = (0..=children.len()).map(|at| 3 * at as u16).collect();
    let (keys, offsets) = (b.create_vector(&keys), b.create_vector(&offsets));
    let raw: Vec<u8> = children
        .iter()
        .flat_map(|child| *child.as_bytes())
        .collect();
    let raw = b.create_vector(&raw);
    // Zig-zag differences: the first child's rows, then no change.
    let [low, high] = [(2 * count) as u8 | 0x80, (count >> 6) as u8];
    let mut counts = vec![low, high];
    counts.resize(children.len() + 1, 0);
    let counts = b.create_vector(&counts);
    let field = |slot: u16| 4 + 2 * slot;
    let table = b.start_table();
    b.push_slot_always(field(0), keys);
    b.push_slot_always(field(1), offsets);
    b.push_slot_always(field(7), raw);
    b.push_slot_always(field(8), counts);
    b.push_slot(field(9), u64::from(count) * children.len() as u64, 0);
    b.push_slot(field(10), level, 0);
    let table = b.end_table(table);
    b.finish(table, Some("TUPM"));
    let data = b.finished_data();
    let [_, len @ ..] = u32::try_from(data.len()).expect("short").to_be_bytes();
    Chunk::new([&[0x1b], &len[..], data].concat())
}

#[test]
fn a_table_that_claims_one_leaf_twice_is_refused() {
    let renderer = Renderer::new(&schema("int", 7)).expect("a layout");
    let leaves = [Address::of(b"one"), Address::of(b"two")];
    let layout = |root: Bytes| {
        let root = Node::decode(Kind::Tuples, root).expect("a node");
        TextLayout::new(&root, &renderer)
    };
    let honest = rows(1, &leaves, 100);
    assert!(layout(honest.contents().clone()).is_ok());
    let twice = rows(1, &[leaves[0]; 2], 100);
    refusal(layout(twice.contents().clone()), "stands twice");

    // The same a level deeper: two children that differ and share a leaf.
    let children = [honest, rows(1, &[leaves[1], leaves[0]], 100)];
    let root = rows(2, &[children[0].address(), children[1].address()], 200);
    let mut layout = layout(root.contents().clone()).expect("different children");
    refusal(layout.expand(&children), "stands twice");
}
