from pyfs.unmount import failures

STATUS = """remote: file:///srv/primes
failed-saves: 2

last failed save on main:
  file: author.csv
  at: 2026-11-26T05:00:00Z
  reason: table 'author' cannot be dropped: foreign key 'by_id' of table 'book' names it
  text: not kept

last failed save on fix:
  file: book.csv
  at: 2026-11-26T05:00:01Z
  line: 3
  reason: 2 fields, the header has 3
  text: kept in /state/recovery/book.csv
"""


def test_failed_saves_are_told_with_their_reason() -> None:
    assert failures(STATUS) == [
        "main/author.csv: table 'author' cannot be dropped: foreign key 'by_id' of table 'book'"
        " names it (2026-11-26T05:00:00Z)",
        "fix/book.csv: 2 fields, the header has 3; its text is kept in /state/recovery/book.csv"
        " (2026-11-26T05:00:01Z)",
    ]
    assert failures("remote: file:///srv/primes\n") == []
