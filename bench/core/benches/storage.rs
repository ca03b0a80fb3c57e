//! Records to verified chunks, and chunks to a table file.

use bench_core::Remote;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dolt_format::Address;
use dolt_format::table::writer::TableWriter;

fn storage(c: &mut Criterion) {
    let remote = Remote::open("flights").expect("the golden remote");
    let file = remote.files.iter().max_by_key(|file| file.index.len());
    let file = file.expect("a storage file");
    let chunks = file.chunks().expect("its chunks");
    let bytes: usize = chunks.iter().map(|chunk| chunk.contents().len()).sum();

    let mut group = c.benchmark_group("storage");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("decode records", |b| {
        b.iter(|| file.chunks().expect("chunks").len());
    });
    group.bench_function("hash chunks", |b| {
        b.iter(|| {
            let addresses = chunks.iter().map(|chunk| Address::of(chunk.contents()));
            addresses.filter(Address::is_empty).count()
        });
    });
    let contents: Vec<&[u8]> = chunks
        .iter()
        .map(|chunk| chunk.contents().as_ref())
        .collect();
    group.bench_function("hash chunks together", |b| {
        b.iter(|| {
            let addresses = contents.chunks(256).flat_map(Address::of_each);
            addresses.filter(Address::is_empty).count()
        });
    });
    group.bench_function("write a table file", |b| {
        b.iter(|| {
            let mut writer = TableWriter::new();
            chunks
                .iter()
                .try_for_each(|chunk| writer.add(chunk))
                .expect("it fits");
            writer.finish().map(|file| file.len())
        });
    });

    let addresses = file.index.addresses();
    group.throughput(Throughput::Elements(addresses.len() as u64));
    group.bench_function("find addresses", |b| {
        b.iter(|| {
            let found = addresses.iter().filter(|at| file.index.contains(**at));
            found.count()
        });
    });
    group.bench_function("plan reads", |b| {
        b.iter(|| file.index.plan(&addresses, 64 << 10, 8 << 20).len());
    });
    group.finish();
}

criterion_group!(benches, storage);
criterion_main!(benches);
