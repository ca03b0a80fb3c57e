"""Measures the main jobs; prints a table. `python -m bench.mount --help`."""

import argparse
import contextlib
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.mount.proxy import Proxy
from tests.support.servers import Endpoints, running_servers

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "remotes"
PYFS = Path(sys.executable).with_name("pyfs")
PRIMES_TO_36 = "26,101 27,103 28,107 29,109 30,113 31,127 32,131 33,137 34,139 35,149 36,151"
S3_LATENCY_S, DYNAMODB_LATENCY_S = 0.030, 0.010


@dataclass(frozen=True, slots=True)
class Result:
    """One job's cost."""

    seconds: float
    requests: int
    bytes: int


class Site:
    """Servers behind counting proxies, and a folder for everything else."""

    def __init__(self, folder: Path, s3: Proxy, dynamodb: Proxy) -> None:
        self.folder = folder
        self.endpoints = Endpoints(s3.url, dynamodb.url)
        self._proxies = (s3, dynamodb)
        self.environment = {
            **os.environ,
            **self.endpoints.environment(),
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "DOLT_DISABLE_EVENT_FLUSH": "1",
        }

    def run(self, *command: str, cwd: Path | None = None, out: Path | None = None) -> None:
        """Runs a command; its failure ends the bench."""
        with open(out or os.devnull, "wb") as stdout:
            done = subprocess.run(
                command,
                env=self.environment,
                cwd=cwd or self.folder,
                stdout=stdout,
                stderr=subprocess.PIPE,
                check=False,
            )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stderr.decode()}")

    def measure(self, job: Callable[[], None]) -> Result:
        """What *job* costs."""
        requests = sum(proxy.traffic.requests for proxy in self._proxies)
        transferred = sum(proxy.traffic.bytes for proxy in self._proxies)
        began = time.perf_counter()
        job()
        seconds = time.perf_counter() - began
        return Result(
            seconds,
            sum(proxy.traffic.requests for proxy in self._proxies) - requests,
            sum(proxy.traffic.bytes for proxy in self._proxies) - transferred,
        )

    @contextlib.contextmanager
    def mounted(
        self, url: str, cache: str, results: "dict[str, Result] | None" = None
    ) -> Iterator[Path]:
        """A mount with a cache of that name, which is cold if it is new."""
        directory = self.folder / f"mnt-{cache}"
        directory.mkdir(exist_ok=True)
        option = f"cache-dir={self.folder / cache}"
        cost = self.measure(lambda: self.run(str(PYFS), "mount", "-o", option, url, str(directory)))
        if results is not None:
            results["mount"] = cost
        try:
            yield directory
        finally:
            self.run(str(PYFS), "umount", str(directory))


def bench(site: Site, prefix: str, text: Path, changed: Path) -> dict[str, Result]:
    """All jobs on fresh copies of the remotes."""
    results: dict[str, Result] = {}
    url = f"aws://[manifests:tables]/{prefix}"
    site.endpoints.upload(GOLDEN / "flights", f"{url}/flights")
    site.endpoints.upload(GOLDEN / "primes", f"{url}/primes")
    has_dolt = shutil.which("dolt") is not None

    with site.mounted(f"{url}/flights", "cold", results) as mount:
        file = mount / "main/flights.csv"
        read = site.folder / "read.csv"
        results["cold cat"] = site.measure(lambda: site.run("cat", str(file), out=read))
        if read.read_bytes() != text.read_bytes():
            raise SystemExit("the flights that were read are not those of dolt")
        results["warm cat"] = site.measure(lambda: site.run("cat", str(file)))
    with site.mounted(f"{url}/flights", "head") as mount:
        file = mount / "main/flights.csv"
        results["cold head -1"] = site.measure(lambda: site.run("head", "-n", "1", str(file)))

    with site.mounted(f"{url}/flights", "write") as mount:
        file = mount / "main/flights.csv"
        header = text.read_bytes().split(b"\n")[0] + b"\n"
        file.write_bytes(header)
        results["import"] = site.measure(lambda: site.run("cp", str(text), str(file)))
        results["rewrite, one row"] = site.measure(lambda: site.run("cp", str(changed), str(file)))
    with site.mounted(f"{url}/primes", "primes") as mount:
        table = mount / "feature/twin/primes.csv"
        rows = PRIMES_TO_36.replace(" ", "\\n")
        script = f"printf '{rows}\\n' >> {table}; sync {table}"
        results["append 11 rows"] = site.measure(lambda: site.run("bash", "-c", script))
    if has_dolt:
        results |= bench_dolt(site, url, text, changed)
    return results


def bench_dolt(site: Site, url: str, text: Path, changed: Path) -> dict[str, Result]:
    """The same work by dolt."""
    results: dict[str, Result] = {}
    for key, value in (("name", "bench"), ("email", "bench@example.com")):
        site.run("dolt", "config", "--global", "--add", f"user.{key}", value)
    clone = site.folder / f"dolt-{url.rpartition('/')[2]}"

    def cold() -> None:
        site.run("dolt", "clone", f"{url}/flights", str(clone))
        site.run("dolt", "table", "export", "-f", "flights", str(site.folder / "d.csv"), cwd=clone)

    results["dolt cold cat"] = site.measure(cold)

    def write(source: Path, message: str) -> Callable[[], None]:
        def job() -> None:
            site.run("dolt", "table", "import", "-r", "flights", str(source), cwd=clone)
            site.run("dolt", "commit", "-am", message, cwd=clone)
            site.run("dolt", "push", "origin", "main", cwd=clone)

        return job

    site.run("dolt", "sql", "-q", "delete from flights", cwd=clone)
    site.run("dolt", "commit", "-am", "empty", cwd=clone)
    # The mount wrote to this branch meanwhile: dolt works on the state it cloned.
    site.run("dolt", "push", "-f", "origin", "main", cwd=clone)
    results["dolt import"] = site.measure(write(text, "import"))
    results["dolt rewrite, one row"] = site.measure(write(changed, "rewrite"))
    return results


def main() -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.mount", description=__doc__)
    parser.add_argument("--no-latency", action="store_true", help="leave the slow run out")
    arguments = parser.parse_args()
    runs = [("none", 0.0, 0.0)]
    if not arguments.no_latency:
        runs.append(("30 ms (S3), 10 ms (DynamoDB)", S3_LATENCY_S, DYNAMODB_LATENCY_S))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyfs-bench-")))
        text, changed = folder / "flights.csv", folder / "changed.csv"
        text.write_bytes(
            gzip.decompress((GOLDEN / "flights.expected/main/flights.csv.gz").read_bytes())
        )
        lines = text.read_bytes().splitlines(keepends=True)
        middle = len(lines) // 2
        fields = lines[middle].split(b",")
        fields[-1] = b"1999-12-31 23:00:00\n"
        lines[middle] = b",".join(fields)
        changed.write_bytes(b"".join(lines))
        servers = stack.enter_context(running_servers())
        servers.make("manifests", "tables")
        for number, (name, s3_latency, dynamodb_latency) in enumerate(runs):
            with (
                Proxy(servers.s3, s3_latency).running() as s3,
                Proxy(servers.dynamodb, dynamodb_latency).running() as dynamodb,
            ):
                place = folder / str(number)
                place.mkdir()
                report(name, bench(Site(place, s3, dynamodb), f"run{number}", text, changed))


def report(latency: str, results: dict[str, Result]) -> None:
    """Prints one run, each job beside dolt's."""
    print(f"\nadded latency: {latency}")
    print(f"{'job':<22}{'seconds':>9}{'requests':>10}{'MB':>9}   {'dolt':<30}{'ratio':>7}")
    for job, result in results.items():
        if job.startswith("dolt "):
            continue
        line = f"{job:<22}{result.seconds:>9.2f}{result.requests:>10}{result.bytes / 1e6:>9.2f}"
        dolt = results.get(f"dolt {job}")
        if dolt is not None:
            cost = f"{dolt.seconds:.2f} s, {dolt.requests} requests, {dolt.bytes / 1e6:.1f} MB"
            line += f"   {cost:<30}{dolt.seconds / result.seconds:>6.1f}x"
        print(line)


if __name__ == "__main__":
    main()
