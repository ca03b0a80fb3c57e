//! The Python binding of [`dolt_format`]: `pyfs._core`. Converts, calls, maps errors.
//!
//! What each class does is said in `pyfs/_core.pyi`.

// pyo3 hands arguments over by value.
#![allow(clippy::needless_pass_by_value)]

mod address;
mod build;
mod chunk;
mod closure;
mod commit;
mod database;
mod diff;
mod error;
mod foreign_key;
mod infer;
mod manifest;
mod scan;
mod schema;
mod storage;
mod storage_writer;
mod table;
mod text;

use pyo3::prelude::*;

#[pymodule]
mod _core {
    #[pymodule_export]
    use super::address::{Address, Addresses, Claims};
    #[pymodule_export]
    use super::build::{
        BuiltTable, HashedLeaves, Leaves, Run, SortedRun, TableBuild, TableFinish, TreeJob,
    };
    #[pymodule_export]
    use super::chunk::{Chunk, ChunkCache, Chunks};
    #[pymodule_export]
    use super::closure::{ClosureEdit, ClosureLookup};
    #[pymodule_export]
    use super::commit::{Commit, Tag};
    #[pymodule_export]
    use super::database::{RootValue, branch_name_error, store_root};
    #[pymodule_export]
    use super::diff::DiffCount;
    #[pymodule_export]
    use super::foreign_key::{
        FollowBuild, ForeignKey, KeyCheck, KeyFindings, MissingParents, ReferencedRow, RowFollow,
        foreign_key_chunk, foreign_keys,
    };
    #[pymodule_export]
    use super::infer::Inference;
    #[pymodule_export]
    use super::manifest::Manifest;
    #[pymodule_export]
    use super::scan::AddressMapScan;
    #[pymodule_export]
    use super::schema::{RowCarry, SchemaEdit, column_tags, create_table};
    #[pymodule_export]
    use super::storage::{ReadPlan, TableIndex};
    #[pymodule_export]
    use super::storage_writer::{StorageFile, StorageWriter};
    #[pymodule_export]
    use super::table::{Schema, Table, system_schema};
    #[pymodule_export]
    use super::text::{Extent, Measure, Render, Rendered, Text, TextLayout};
}

/// The three methods of a traversal, over the traversal that a closure finds in the class.
macro_rules! traversal {
    ($class:ty, $result:ty, |$py:ident, $value:ident| $convert:expr) => {
        #[pymethods]
        impl $class {
            fn needs(&mut self, limit: usize) -> Vec<crate::address::Address> {
                let needs = dolt_format::Traversal::needs(&mut self.inner, limit);
                needs.into_iter().map(crate::address::Address).collect()
            }

            fn feed(
                &mut self,
                chunks: Vec<PyRef<'_, crate::chunk::Chunk>>,
            ) -> Result<(), crate::error::Error> {
                let chunks: Vec<_> = chunks.iter().map(|chunk| chunk.0.clone()).collect();
                Ok(dolt_format::Traversal::feed(&mut self.inner, &chunks)?)
            }

            fn result(&mut self, $py: Python<'_>) -> Result<$result, crate::error::Error> {
                // Results are made of all that was fed: let other threads run meanwhile.
                let inner = &mut self.inner;
                let $value = $py.detach(|| dolt_format::Traversal::result(inner))?;
                Ok($convert)
            }
        }
    };
}
pub(crate) use traversal;
