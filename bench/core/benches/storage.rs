//! Records to verified chunks, and chunks to storage files.

use bench_core::{Remote, StorageFile};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dolt_format::Address;
use dolt_format::packing::Packing;
use dolt_format::table::index::TableIndex;
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
    let pack = || {
        let mut packing = Packing::default();
        let mut jobs = packing.add(chunks.clone());
        jobs.extend(packing.end());
        for job in jobs {
            let packed = job.run().expect("it compresses");
            packing.give(packed).expect("it is taken");
        }
        packing
            .finish(0)
            .expect("it finishes")
            .expect("it has chunks")
    };
    group.bench_function("write an archive", |b| b.iter(|| pack().len()));
    let archive = pack();
    let index = TableIndex::archive(&archive.name, &archive.data(), archive.len() as u64);
    let index = index.expect("an archive");
    let archive = StorageFile::open(index, archive.data()).expect("its dictionaries");
    group.bench_function("decode an archive of ours", |b| {
        b.iter(|| archive.chunks().expect("chunks").len());
    });
    let mut table = TableWriter::new();
    chunks
        .iter()
        .try_for_each(|chunk| table.add(chunk))
        .expect("it fits");
    let table = table.finish().expect("it has chunks");
    let data = table.data();
    let tail = &data[data.len() - usize::try_from(table.tail_len).expect("a file in memory")..];
    let index = TableIndex::table(&table.name, tail, data.len() as u64).expect("a table file");
    let table = StorageFile::open(index, data.clone()).expect("it opens");
    group.bench_function("decode a table file", |b| {
        b.iter(|| table.chunks().expect("chunks").len());
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
