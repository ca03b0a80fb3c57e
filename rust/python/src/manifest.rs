//! `Manifest`.

use dolt_format::manifest::{self, Spec, format_specs};
use dolt_format::{Address as RawAddress, FormatError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::address::Address;
use crate::error::Error;

#[pyclass(frozen, eq, hash, module = "pyfs._core")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Manifest(manifest::Manifest);

fn specs(specs: &[Spec]) -> Vec<(String, u32)> {
    specs
        .iter()
        .map(|spec| (spec.name.to_string(), spec.chunk_count))
        .collect()
}

#[pymethods]
impl Manifest {
    #[classattr]
    #[allow(non_snake_case)]
    fn EMPTY() -> Self {
        Self(manifest::Manifest::EMPTY)
    }

    #[staticmethod]
    fn parse(text: PyBackedBytes) -> Result<Self, Error> {
        let text = std::str::from_utf8(&text)
            .map_err(|error| FormatError::corrupt("manifest", error.to_string()))?;
        Ok(Self(manifest::Manifest::parse(text)?))
    }

    #[staticmethod]
    #[pyo3(signature = (*, nbs_version, nbf_version, root, lock, specs, appendix))]
    fn from_item(
        nbs_version: &str,
        nbf_version: &str,
        root: PyBackedBytes,
        lock: PyBackedBytes,
        specs: &str,
        appendix: &str,
    ) -> Result<Self, Error> {
        let manifest =
            manifest::Manifest::from_item(nbs_version, nbf_version, &root, &lock, specs, appendix)?;
        Ok(Self(manifest))
    }

    fn text<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.text().as_bytes())
    }

    #[getter]
    fn root(&self) -> Address {
        Address(self.0.root)
    }

    #[getter]
    fn lock(&self) -> Address {
        Address(self.0.lock)
    }

    #[getter]
    fn gc_gen(&self) -> Address {
        Address(self.0.gc_gen)
    }

    #[getter]
    fn nbf_version(&self) -> &'static str {
        self.0.nbf_version()
    }

    #[getter]
    fn specs(&self) -> Vec<(String, u32)> {
        specs(&self.0.specs)
    }

    #[getter]
    fn appendix(&self) -> Vec<(String, u32)> {
        specs(&self.0.appendix)
    }

    #[getter]
    fn specs_text(&self) -> String {
        format_specs(&self.0.specs)
    }

    #[getter]
    fn appendix_text(&self) -> String {
        format_specs(&self.0.appendix)
    }

    #[pyo3(signature = (root, added, removed=None))]
    fn succeed(
        &self,
        root: Address,
        added: Vec<(String, u32)>,
        removed: Option<Vec<String>>,
    ) -> Result<Self, Error> {
        let removed = removed.unwrap_or_default();
        let removed = removed.iter().map(|name| name.parse());
        let removed = removed.collect::<Result<Vec<RawAddress>, FormatError>>()?;
        let added = added
            .into_iter()
            .map(|(name, chunk_count)| {
                let name: RawAddress = name.parse()?;
                Ok(Spec { name, chunk_count })
            })
            .collect::<Result<Vec<_>, FormatError>>()?;
        Ok(Self(self.0.succeed(root.0, &added, &removed)))
    }
}
