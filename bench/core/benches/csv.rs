//! 336,776 rows to CSV text, and the text back to a table with two secondary indexes.

use bench_core::Remote;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dolt_format::build::TableBuild;
use dolt_format::csv;
use dolt_format::csv::extent::PIECE_LEAVES;
use dolt_format::csv::parse::RecordReader;
use dolt_format::csv::render::{Render, Renderer};
use dolt_format::message::schema::TableSchema;

const FEED_LEN: usize = 1 << 20;

fn text(c: &mut Criterion) {
    let remote = Remote::open("flights").expect("the golden remote");
    let (address, table) = remote.table("flights").expect("the table");
    let schema = TableSchema::decode(remote.chunk(table.schema)).expect("its schema");
    let renderer = Renderer::new(&schema).expect("it can be shown");
    let leaves = remote.leaves(&table.rows).expect("its leaves");
    let render = || {
        let render = Render::new(renderer.clone(), leaves.clone()).expect("it starts");
        remote.drive(render).expect("it renders")
    };
    let shown = &renderer.columns().shown;
    let header = csv::header(shown.iter().map(|column| column.name.as_str()));
    let text = [header, render().concat()].concat();

    let mut group = c.benchmark_group("csv");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("render", |b| b.iter(render));
    group.bench_function("render pieces, measured", |b| {
        b.iter(|| {
            let render = Render::new(renderer.clone(), leaves.clone());
            let pieces = render.and_then(|mut render| render.pieces(PIECE_LEAVES));
            pieces.expect("it renders").measures.len()
        });
    });
    group.bench_function("split into records", |b| {
        b.iter(|| {
            let (mut records, mut count) = (RecordReader::default(), 0);
            for piece in text.chunks(FEED_LEN) {
                let mut visit = |record: csv::record::RecordView<'_>| {
                    count += record.len();
                    Ok(false)
                };
                records.feed(piece, &mut visit).expect("it reads");
            }
            count
        });
    });
    let base = remote.chunk(address);
    let build = || {
        let mut build = TableBuild::new(schema.clone(), base.clone()).expect("it starts");
        for piece in text.chunks(FEED_LEN) {
            build.feed(piece).expect("it reads");
        }
        build.finish().expect("it builds")
    };
    assert_eq!(build().table.address(), address);
    group.bench_function("build a table", |b| b.iter(|| build().chunks.len()));
    group.finish();
}

criterion_group!(benches, text);
criterion_main!(benches);
