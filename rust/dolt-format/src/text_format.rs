//! `TextFormat`: the forms in which a table's rows are shown as text.

use std::fmt;
use std::str::FromStr;

/// How a table's rows are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TextFormat {
    /// Fields separated by commas, under a header: what Dolt exports.
    #[default]
    Csv,
    /// The same with tabs.
    Tsv,
}

impl TextFormat {
    /// Every format there is.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Tsv];

    /// Its name, which is also the ending of its files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
        }
    }

    /// What stands between two fields of a row.
    #[must_use]
    pub const fn delimiter(self) -> u8 {
        match self {
            Self::Csv => b',',
            Self::Tsv => b'\t',
        }
    }
}

impl fmt::Display for TextFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TextFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|format| format.name() == name);
        known.ok_or_else(|| format!("{name:?} is no format of text"))
    }
}
