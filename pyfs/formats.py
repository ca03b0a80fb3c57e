"""The formats in which a mount shows tables."""

from enum import StrEnum


class Format(StrEnum):
    """How a table's rows stand in a file; the value is the ending of its name."""

    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @property
    def suffix(self) -> str:
        """The ending of its files' names, with the dot."""
        return f".{self}"
