//! `ForeignKeyCollection` (`DFKC`): which tables' rows name which other tables' rows.

use flatbuffers::{TableFinishedWIPOffset, WIPOffset};

use super::field;
use super::flatbuffer::{Budget, Builder, TableView, finish};
use crate::{Chunk, FormatError};

type Offset = WIPOffset<TableFinishedWIPOffset>;

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignKey {
    /// Its name, unique in the database.
    pub name: String,
    /// The table whose rows name others.
    pub child: String,
    /// The index over the child's columns; empty while the key is unresolved.
    pub child_index: String,
    /// The tags of the child's columns, in key order; empty while the key is unresolved.
    pub child_tags: Vec<u64>,
    /// The table whose rows are named.
    pub parent: String,
    /// The parent's index; empty for its primary key.
    pub parent_index: String,
    /// The tags of the parent's columns; empty while the key is unresolved.
    pub parent_tags: Vec<u64>,
    /// The names of the child's columns at the key's creation. Dolt drops them at times.
    pub child_columns: Vec<String>,
    /// The names of the parent's columns at the key's creation.
    pub parent_columns: Vec<String>,
    /// What happens when a named row's key changes.
    pub on_update: Action,
    /// What happens when a named row is deleted.
    pub on_delete: Action,
    /// Whether rows may break it already.
    pub is_not_valid: bool,
    /// How NULLs match; 0 for MySQL's way.
    pub match_type: u8,
}

impl ForeignKey {
    /// The key after its tables got these names. Its own name changes too, where it was made of the
    /// child's (`gms/sql/plan/alter_table.go`, `RenameTable`).
    #[must_use]
    pub fn with_tables(&self, child: String, parent: String) -> Self {
        let prefix = format!("{}_ibfk_", self.child);
        let number = self.name.strip_prefix(&prefix).filter(|n| !n.is_empty());
        let name = match number {
            Some(number) if child != self.child => format!("{child}_ibfk_{number}"),
            _ => self.name.clone(),
        };
        Self {
            name,
            child,
            parent,
            ..self.clone()
        }
    }

    /// Whether it knows the columns of both tables.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        !self.child_tags.is_empty() && self.child_tags.len() == self.parent_tags.len()
    }
}

/// What happens to a child's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// Nothing was said: the change is refused.
    #[default]
    Default,
    /// They follow.
    Cascade,
    /// The change is refused.
    NoAction,
    /// The change is refused.
    Restrict,
    /// They name nothing any more.
    SetNull,
    /// They name what their defaults say.
    SetDefault,
}

impl Action {
    fn decode(number: u8) -> Result<Self, FormatError> {
        Ok(match number {
            0 => Self::Default,
            1 => Self::Cascade,
            2 => Self::NoAction,
            3 => Self::Restrict,
            4 => Self::SetNull,
            5 => Self::SetDefault,
            _ => {
                let why = format!("a foreign key with action {number}");
                return Err(FormatError::Unsupported(why));
            }
        })
    }

    const fn number(self) -> u8 {
        match self {
            Self::Default => 0,
            Self::Cascade => 1,
            Self::NoAction => 2,
            Self::Restrict => 3,
            Self::SetNull => 4,
            Self::SetDefault => 5,
        }
    }
}

/// The foreign keys that a chunk holds, sorted by name.
pub fn decode(message: &[u8]) -> Result<Vec<ForeignKey>, FormatError> {
    let view = TableView::root(message, *b"DFKC", "foreign key collection", 1)?;
    let mut budget = Budget::of(message, "foreign key collection");
    view.tables(0, 15)?
        .map(|key| {
            let key = budget.table(key)?;
            Ok(ForeignKey {
                name: budget.string(&key, 0)?,
                child: budget.string(&key, 1)?,
                child_index: budget.string(&key, 2)?,
                child_tags: budget.u64s(&key, 3)?,
                parent: budget.string(&key, 4)?,
                parent_index: budget.string(&key, 5)?,
                parent_tags: budget.u64s(&key, 6)?,
                on_update: Action::decode(key.u8(7)?)?,
                on_delete: Action::decode(key.u8(8)?)?,
                child_columns: budget.strings(&key, 9)?,
                parent_columns: budget.strings(&key, 10)?,
                is_not_valid: key.bool(13)?,
                match_type: key.u8(14)?,
            })
        })
        .collect()
}

/// The chunk of foreign keys that are sorted by name. An empty collection is never stored.
pub fn encode(keys: &[ForeignKey]) -> Result<Chunk, FormatError> {
    let mut b = Builder::new();
    let mut offsets = Vec::with_capacity(keys.len());
    for key in keys.iter().rev() {
        let parent_columns =
            (!key.parent_columns.is_empty()).then(|| create_strings(&mut b, &key.parent_columns));
        let child_columns =
            (!key.child_columns.is_empty()).then(|| create_strings(&mut b, &key.child_columns));
        let parent_tags = b.create_vector(&key.parent_tags);
        let child_tags = b.create_vector(&key.child_tags);
        let texts = [
            &key.parent,
            &key.parent_index,
            &key.child,
            &key.child_index,
            &key.name,
        ];
        let [parent, parent_index, child, child_index, name] =
            texts.map(|text| b.create_string(text));
        let table = b.start_table();
        b.push_slot_always(field(0), name);
        b.push_slot_always(field(1), child);
        b.push_slot_always(field(2), child_index);
        b.push_slot_always(field(3), child_tags);
        b.push_slot_always(field(4), parent);
        b.push_slot_always(field(5), parent_index);
        b.push_slot_always(field(6), parent_tags);
        if let Some(child_columns) = child_columns {
            b.push_slot_always(field(9), child_columns);
        }
        if let Some(parent_columns) = parent_columns {
            b.push_slot_always(field(10), parent_columns);
        }
        b.push_slot(field(7), key.on_update.number(), 0);
        b.push_slot(field(8), key.on_delete.number(), 0);
        b.push_slot(field(13), key.is_not_valid, false);
        b.push_slot(field(14), key.match_type, 0);
        offsets.push(b.end_table(table));
    }
    offsets.reverse();
    let offsets = b.create_vector(&offsets);
    let table = b.start_table();
    b.push_slot_always(field(0), offsets);
    let table = b.end_table(table);
    finish(b, table, "DFKC").map(Chunk::new)
}

/// The strings stand last to first, as Go writes them.
fn create_strings(b: &mut Builder, texts: &[String]) -> Offset {
    let mut offsets: Vec<_> = texts
        .iter()
        .rev()
        .map(|text| b.create_string(text))
        .collect();
    offsets.reverse();
    WIPOffset::new(b.create_vector(&offsets).value())
}
