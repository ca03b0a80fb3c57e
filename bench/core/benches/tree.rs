//! Walking, building, editing and comparing the tree of 336,776 rows.

use std::sync::Arc;

use bench_core::Remote;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dolt_format::tree::chunker::MapBuilder;
use dolt_format::tree::diff_count::DiffCount;
use dolt_format::tree::edit::{Change, Edit};
use dolt_format::tree::{Kind, Node};

fn build(leaves: &[Node]) -> Node {
    let mut builder = MapBuilder::new(Kind::Tuples);
    for leaf in leaves {
        for item in 0..leaf.len() {
            builder
                .push(leaf.key(item), leaf.value(item), &[])
                .expect("it fits");
        }
    }
    let built = builder.finish().expect("it builds");
    Node::decode(Kind::Tuples, built.root.contents().clone()).expect("a node")
}

fn trees(c: &mut Criterion) {
    let remote = Remote::open("flights").expect("the golden remote");
    let (_, table) = remote.table("flights").expect("the table");
    let root = table.rows;
    let leaves = remote.leaves(&root).expect("its leaves");
    let messages: Vec<_> = leaves.iter().map(|leaf| leaf.message().clone()).collect();
    assert_eq!(build(&leaves).message(), root.message());

    let mut group = c.benchmark_group("tree");
    group.sample_size(20);
    group.throughput(Throughput::Elements(root.tree_count()));
    group.bench_function("walk nodes", |b| {
        b.iter(|| {
            let mut bytes = 0;
            for message in &messages {
                let leaf = Node::decode(Kind::Tuples, message.clone()).expect("a node");
                bytes += (0..leaf.len())
                    .map(|item| leaf.key(item).len() + leaf.value(item).len())
                    .sum::<usize>();
            }
            bytes
        });
    });
    group.bench_function("build", |b| b.iter(|| build(&leaves)));
    group.throughput(Throughput::Elements(1));
    let middle = &leaves[leaves.len() / 2];
    // Keys here are four-byte numbers, whose order is not that of their bytes.
    let sort_key = |key: &[u8]| {
        let number = key.first_chunk().map_or(0, |raw| i32::from_le_bytes(*raw));
        (number ^ i32::MIN).to_be_bytes().to_vec()
    };
    let change = || Change {
        key: middle.key(0).to_vec(),
        sort_key: sort_key(middle.key(0)),
        value: Some((middle.value(1).to_vec(), Vec::new())),
    };
    let edit = || {
        let edit = Edit::new(root.clone(), Arc::new(sort_key), vec![change()]).expect("it starts");
        remote.drive(edit).expect("it edits")
    };
    group.bench_function("edit one row", |b| b.iter(edit));
    let edited = edit();
    let new = Node::decode(Kind::Tuples, edited.root.contents().clone()).expect("a node");
    let mut remote = Remote::open("flights").expect("the golden remote");
    remote.add(edited.nodes);
    group.bench_function("compare after it", |b| {
        b.iter(|| {
            let diff = DiffCount::new(root.clone(), new.clone(), false, Some(Arc::new(sort_key)));
            remote.drive(diff).expect("it compares")
        });
    });
    group.finish();
}

criterion_group!(benches, trees);
criterion_main!(benches);
