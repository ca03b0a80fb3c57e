"""Tables in other formats than CSV, with the tools that read and write them."""

import sys
from collections.abc import Callable

import pytest

from tests.support.mounts import Mount

pytestmark = pytest.mark.fuse


def test_tsv_beside_csv(mounts: Callable[..., Mount]) -> None:
    """cut, awk, sed -i; what one name saves, the other shows at once."""
    mount = mounts("primes", "format=csv+tsv").mount()
    assert mount.sh("ls").stdout.split() == ["primes.csv", "primes.tsv"]
    before = mount.log()
    primes = [line.split(",")[1] for line in mount.sh("cat primes.csv").stdout.splitlines()]
    assert mount.sh("cut -f 2 primes.tsv").stdout.split() == primes
    done = mount.sh("""
        set -e
        tail -n 1 primes.csv
        printf '41\\t179\\n' >> primes.tsv
        tail -n 1 primes.csv
        sed -i '/^41\\t/s/179/181/' primes.tsv
        tail -n 1 primes.csv
        stat -c %s primes.csv
        wc -c < primes.csv
        printf 'a\\tb\\n1\\tx,y\\n' > new.tsv
        cat new.csv
    """)
    assert done.returncode == 0, done.stderr
    last, appended, edited, *sizes, header, row = done.stdout.splitlines()
    assert last != appended
    assert (appended, edited) == ("41,179", "41,181")
    assert len(set(sizes)) == 1
    assert (header, row) == ("a,b", '1,"x,y"')
    assert len(mount.log()) == len(before) + 3


def test_pandas_reads_and_writes_tsv(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes", "format=tsv").mount()
    script = """
import pandas
table = pandas.read_csv("primes.tsv", sep="\\t")
table.loc[len(table)] = [41, 179]
table.to_csv("primes.tsv", sep="\\t", index=False)
"""
    done = mount.run([sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr
    assert mount.sh("tail -n 1 primes.tsv").stdout == "41\t179\n"
    done = mount.sh("printf 'x,y\\n' > primes.tsv")
    assert "kept in" in mount.status()
    assert [path.suffix for path in mount.recovered()] == [".tsv"]
