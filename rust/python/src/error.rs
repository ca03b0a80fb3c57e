//! `FormatError` to the exceptions of `pyfs.errors`, which are defined once, in Python.

use dolt_format::FormatError;
use pyo3::import_exception;
use pyo3::prelude::*;

import_exception!(pyfs.errors, CorruptionError);
import_exception!(pyfs.errors, UnsupportedError);
import_exception!(pyfs.errors, DuplicateKeyError);
import_exception!(pyfs.errors, InvalidTextError);
import_exception!(pyfs.errors, ReadAnewError);

/// A `FormatError` on its way to Python.
pub(crate) struct Error(FormatError);

impl From<FormatError> for Error {
    fn from(error: FormatError) -> Self {
        Self(error)
    }
}

impl From<Error> for PyErr {
    fn from(Error(error): Error) -> Self {
        match error {
            FormatError::Unsupported(why) => UnsupportedError::new_err(why),
            FormatError::BadValue {
                line,
                column,
                value,
                why,
            } => InvalidTextError::new_err((why, line, column, value)),
            FormatError::DuplicateKey { line, why } => DuplicateKeyError::new_err((why, line)),
            FormatError::BadRecord { line, why } => InvalidTextError::new_err((why, line)),
            error @ FormatError::OutOfOrder { .. } => ReadAnewError::new_err(error.to_string()),
            error => CorruptionError::new_err(error.to_string()),
        }
    }
}
