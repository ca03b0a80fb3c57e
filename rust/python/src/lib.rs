//! The Python binding of [`dolt_format`]: `pyfs._core`. Converts, calls, maps errors.

use pyo3::prelude::*;

#[pymodule]
fn _core(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
