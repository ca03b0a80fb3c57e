//! Measures that are remembered between mounts, of a table of thousands of leaves.

#[path = "support/store.rs"]
mod support;

use dolt_format::csv::extent::TextLayout;
use dolt_format::csv::measure::Measure;
use dolt_format::csv::remembered::Group;
use dolt_format::csv::render::Renderer;
use dolt_format::{Address, Chunk};
use support::{Store, golden};

const FORM: &[u8] = b"a form";

/// The flights: a layout of their text, of which nothing is known, and their nodes.
struct Flights {
    store: Store,
    layout: TextLayout,
}

impl Flights {
    fn open() -> Self {
        let (store, root) = Store::open(&golden("remotes").join("flights"));
        let head = store.branches(root)["main"];
        let (table, schema) = store.table(store.tables(head)["flights"]);
        let renderer = Renderer::new(&schema).expect("it can be shown");
        let layout = TextLayout::new(&table.rows, &renderer).expect("a layout");
        Self { store, layout }
    }

    /// Expands what is needed for the first `length` bytes, all levels of it.
    fn expand(&mut self, length: u64) {
        loop {
            let nodes = self.layout.frontier(0, length).nodes;
            if nodes.is_empty() {
                break;
            }
            let nodes: Vec<Chunk> = nodes
                .iter()
                .map(|node| self.store.get(*node).clone())
                .collect();
            self.layout.expand(&nodes).expect("it expands");
        }
    }

    fn expanded() -> Self {
        let mut flights = Self::open();
        flights.expand(u64::MAX);
        flights
    }

    /// Everything that is not measured. Whole pieces and single leaves.
    fn unmeasured(&self) -> Vec<Address> {
        let frontier = self.layout.frontier(0, u64::MAX);
        let mut leaves = self.layout.piece_leaves(&frontier.pieces);
        leaves.extend(frontier.leaves);
        leaves
    }

    fn measure(&mut self, leaves: &[Address]) {
        let measures = leaves.iter().map(|leaf| (*leaf, measure(*leaf)));
        self.layout.set_measures(measures);
    }

    /// Looks up all there is of `groups`, as often as that leads on.
    fn recall(&mut self, groups: &[Group], limit: usize) {
        for by_last in [false, true] {
            loop {
                let keys = self.layout.unremembered(by_last, limit);
                if keys.is_empty() {
                    break;
                }
                assert!(keys.len() <= limit);
                for group in groups {
                    let key = if by_last { group.last } else { group.first };
                    if keys.contains(&key) {
                        self.layout.recall(FORM, &group.record);
                    }
                }
            }
        }
    }
}

/// Stands for the measure of a leaf's text.
fn measure(leaf: Address) -> Measure {
    Measure::of(leaf.to_string().as_bytes())
}

fn remembered() -> (Vec<Group>, Vec<Address>) {
    let mut flights = Flights::expanded();
    let leaves = flights.unmeasured();
    flights.measure(&leaves);
    assert_eq!(flights.layout.fresh_count(), leaves.len());
    let groups = flights.layout.remember(FORM);
    assert_eq!(flights.layout.fresh_count(), 0);
    assert_eq!(flights.layout.remember(FORM), []);
    (groups, leaves)
}

#[test]
fn a_table_is_remembered_in_few_records_and_recalled_whole() {
    let (groups, leaves) = remembered();
    assert!(leaves.len() > 5000, "{} leaves", leaves.len());
    let mean = leaves.len() / groups.len();
    assert!((32..128).contains(&mean), "{mean} leaves a record");
    let mut flights = Flights::expanded();
    flights.recall(&groups, 10);
    assert_eq!(flights.unmeasured(), []);
    let expected: Vec<_> = leaves.iter().map(|leaf| (*leaf, measure(*leaf))).collect();
    assert_eq!(flights.layout.measured(), Some(expected));
    assert_eq!(flights.layout.remember(FORM), [], "nothing is new");
}

#[test]
fn the_beginning_is_recalled_before_the_rest_is_expanded() {
    let (groups, _) = remembered();
    let mut flights = Flights::open();
    flights.expand(1000);
    assert!(flights.layout.frontier(0, u64::MAX).nodes.len() > 10);
    flights.recall(&groups, 100);
    let frontier = flights.layout.frontier(0, 1000);
    assert!(frontier.is_empty(), "{frontier:?}");
    // What was recalled along with it holds when its turn comes.
    flights.expand(u64::MAX);
    flights.recall(&groups, 100);
    assert_eq!(flights.unmeasured(), []);
}

#[test]
fn a_record_is_found_by_either_end() {
    let (groups, leaves) = remembered();
    for drop_first in [true, false] {
        let mut flights = Flights::expanded();
        let altered: Vec<Group> = groups
            .iter()
            .map(|group| {
                let other = Address::of(group.first.as_bytes());
                let mut group = group.clone();
                *(if drop_first {
                    &mut group.first
                } else {
                    &mut group.last
                }) = other;
                group
            })
            .collect();
        flights.recall(&altered, 1000);
        assert_eq!(flights.unmeasured(), [], "of {} leaves", leaves.len());
    }
}

#[test]
fn only_groups_with_something_new_are_remembered() {
    let (groups, leaves) = remembered();
    let mut flights = Flights::expanded();
    let missing = &groups[3];
    let others: Vec<Group> = groups
        .iter()
        .filter(|group| *group != missing)
        .cloned()
        .collect();
    flights.recall(&others, 1000);
    let left = flights.unmeasured();
    assert!(!left.is_empty());
    assert!(left.len() < leaves.len() / 10);
    flights.measure(&left);
    assert_eq!(flights.layout.remember(FORM), std::slice::from_ref(missing));
}

#[test]
fn a_record_that_is_damaged_or_of_another_form_says_nothing() {
    let (groups, _) = remembered();
    let mut flights = Flights::expanded();
    let record = &groups[0].record;
    assert_eq!(flights.layout.recall(b"another form", record), None);
    for at in (0..record.len()).step_by(97) {
        let mut damaged = record.clone();
        damaged[at] ^= 1;
        assert_eq!(flights.layout.recall(FORM, &damaged), None);
        assert_eq!(flights.layout.recall(FORM, &record[..at]), None);
    }
    assert!(
        flights
            .layout
            .recall(FORM, record)
            .is_some_and(|count| count > 0)
    );
    assert_eq!(flights.layout.recall(FORM, record), Some(0));
}
