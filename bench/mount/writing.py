"""Jobs that save."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.mount.site import MIB, Site
from bench.mount.texts import SCATTERED_SCHEMA, SCATTERED_STEP, Texts
from pyfs.repo.folding import FIRST_FILES

PRIMES_TO_36 = "26,101 27,103 28,107 29,109 30,113 31,127 32,131 33,137 34,139 35,149 36,151"
NUMBERS_ROWS = 1000
NUMBERS_SCHEMA = "CREATE TABLE `numbers` (`n` int NOT NULL, `v` int, PRIMARY KEY (`n`));\n"
ONE = "update scattered set name = 'other' where id = 100000"
PUSH = ("dolt", "push", "origin", "main:from-dolt")


def bench_import(site: Site, texts: Texts) -> None:
    """Imports the flights into an empty table, then with one row changed."""
    with site.mounted("flights", "write") as mount:
        file = mount / "main/flights.csv"
        file.write_bytes(texts.header)
        for name, text in (("import", texts.flights), ("rewrite, one row", texts.changed)):
            site.measure(name, partial(site.run, "cp", str(text), str(file)))
            site.remarks[name] = f"mount: at most {_mebibytes(site, mount)} MiB so far"
        site.run("cp", str(texts.flights), str(file))
    if site.has_dolt:
        clone = site.clone("flights-dolt", "import")
        site.run("dolt", "sql", "-q", "delete from flights", cwd=clone)
        site.run("dolt", "commit", "-am", "empty", cwd=clone)
        site.run("dolt", "push", "origin", "main", cwd=clone)
        for name, text in (("import", texts.flights), ("rewrite, one row", texts.changed)):
            site.measure(f"dolt {name}", _dolt_import(site, clone, text))


def bench_rewrite(site: Site, texts: Texts) -> None:
    """Changes every row of the flights, in a mount that has read them."""
    with site.mounted("flights", "rewrite") as mount:
        file = mount / "main/flights.csv"
        site.run("cat", str(file))
        name = "rewrite, every row"
        site.measure(name, lambda: site.run("cp", str(texts.rewritten), str(file)))
        site.run("cat", str(file))
        site.remarks[name] = (
            f"mount: at most {_mebibytes(site, mount)} MiB, reading before and after"
        )


def bench_edits(site: Site, texts: Texts) -> None:
    """Saves few rows of many, and appends to a small table."""
    with site.mounted("primes", "edits") as mount:
        schema = mount / "main/.pyfs/schema/scattered.sql"
        schema.write_text(SCATTERED_SCHEMA)
        file = mount / "main/scattered.csv"
        site.run("cp", str(texts.scattered), str(file))
        if site.has_dolt:
            clone = site.clone("primes", "edits")

        def save(text: Path) -> Callable[[], None]:
            return lambda: site.run("cp", str(text), str(file))

        site.measure("save of 15,385 rows of 200,000", save(texts.scattered_changed))
        one = site.folder / "one.csv"
        one.write_bytes(texts.scattered_changed.read_bytes().replace(b"00,name", b"00,changed", 1))
        site.measure("one row changed", save(one))
        primes = mount / "feature/twin/primes.csv"
        rows = PRIMES_TO_36.replace(" ", "\\n")
        append = f"printf '{rows}\\n' >> {primes}; sync {primes}"
        site.measure("append 11 rows", lambda: site.run("bash", "-c", append))
        site.remarks["append 11 rows"] = f"mount: at most {_mebibytes(site, mount)} MiB"
    if site.has_dolt:
        # Other values than those above: what the remote holds already is not pushed.
        update = f"update scattered set amount = amount + 2 where id % {SCATTERED_STEP} = 1"
        # The branch exists before, so that each push is of the change alone.
        site.run("dolt", "push", "origin", "main:from-dolt", cwd=clone)
        for name, change in (("save of 15,385 rows of 200,000", update), ("one row changed", ONE)):
            site.run("dolt", "sql", "-q", change, cwd=clone)
            site.run("dolt", "commit", "-am", name, cwd=clone)
            site.measure(f"dolt {name}", lambda: site.run(*PUSH, cwd=clone))


def _dolt_import(site: Site, clone: Path, text: Path) -> Callable[[], None]:
    return lambda: site.dolt_import(clone, "flights", text)


def _mebibytes(site: Site, mount: Path) -> int:
    return site.memory_of(mount) // MIB


def bench_commits(site: Site, count: int) -> None:
    """Commits of one row each; what the last ones cost beside the first ones.

    Once rows are added to a small table, which grows by that; once rows of a table are changed.
    """
    with site.mounted("primes", "commits") as mount:
        primes = mount / "main/primes.csv"
        last = int(primes.read_text().splitlines()[-1].partition(",")[0])

        def append(number: int) -> None:
            with open(primes, "a", encoding="utf-8") as file:
                file.write(f"{last + number},{number * 7}\n")

        _many_commits(site, mount, count, "rows added", append)
    with site.mounted("numbers", "numbers") as mount:
        (mount / "main/.pyfs/schema/numbers.sql").write_text(NUMBERS_SCHEMA)
        numbers = mount / "main/numbers.csv"
        rows = {number: number * 7919 % 9973 for number in range(NUMBERS_ROWS)}

        def change(number: int) -> None:
            rows[number * 617 % NUMBERS_ROWS] = number
            lines = (f"{key},{value}\n" for key, value in rows.items())
            numbers.write_text("n,v\n" + "".join(lines))

        change(0)
        _many_commits(site, mount, count, "rows changed", change)


def _many_commits(
    site: Site, mount: Path, count: int, what: str, commit: Callable[[int], None]
) -> None:
    # Those of two files that are folded: one alone is dearer or cheaper than most.
    some = 2 * (FIRST_FILES + 1)

    def commits(numbers: range) -> None:
        for number in numbers:
            commit(number)

    commits(range(1, some))
    first = site.measure(
        f"{what}: {some} to {2 * some - 1}", lambda: commits(range(some, 2 * some))
    )
    commits(range(2 * some, count - some + 1))
    name = f"{what}: {count - some + 1:,} to {count:,}"
    last = site.measure(name, lambda: commits(range(count - some + 1, count + 1)))
    site.remarks[name] = (
        f"{last.seconds / first.seconds:.2f} x the time, {last.requests / first.requests:.2f} x the"
        f" requests, {last.bytes / first.bytes:.2f} x the bytes of the first; mount: at most"
        f" {_mebibytes(site, mount)} MiB"
    )


def bench_repetitions(site: Site, texts: Texts, count: int) -> None:
    """Reads a table and saves it with one row changed, over and over: the mount must not grow."""
    with site.mounted("primes", "repetitions") as mount:
        (mount / "main/.pyfs/schema/scattered.sql").write_text(SCATTERED_SCHEMA)
        file = mount / "main/scattered.csv"
        site.run("cp", str(texts.scattered), str(file))
        header, row, rest = texts.scattered.read_bytes().split(b"\n", 2)
        key, name, _, at = row.split(b",")
        changed = site.folder / "changed.csv"

        def repeat(numbers: range) -> None:
            for number in numbers:
                line = b"%s,%s,%d,%s" % (key, name, number, at)
                changed.write_bytes(b"\n".join((header, line, rest)))
                site.run("cp", str(changed), str(file))
                site.run("cmp", str(changed), str(file))

        early = count // 10
        site.measure(f"repetitions 1 to {early:,}", lambda: repeat(range(early)))
        before = site.memory_now(mount)
        job = f"repetitions to {count:,}"
        site.measure(job, lambda: repeat(range(early, count)))
        site.remarks[job] = (
            f"mount: {before // MIB} MiB after {early:,}, {site.memory_now(mount) // MIB} MiB now"
        )
