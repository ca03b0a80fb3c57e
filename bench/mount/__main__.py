"""Measures the main jobs; prints a table. `python -m bench.mount --help`."""

import argparse
import contextlib
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.mount.proxy import Proxy
from bench.mount.reading import bench_dolt_reading, bench_next_version, bench_reading
from bench.mount.scale import bench_branches, bench_rows
from bench.mount.site import GOLDEN, Site
from bench.mount.texts import Texts, write_texts
from bench.mount.writing import (
    bench_commits,
    bench_edits,
    bench_import,
    bench_repetitions,
    bench_rewrite,
)
from tests.support.servers import running_servers

S3_LATENCY_S, DYNAMODB_LATENCY_S = 0.030, 0.010


def _flights(site: Site, texts: Texts) -> None:
    site.endpoints.upload(GOLDEN / "flights", f"{site.url}/flights")
    site.endpoints.upload(GOLDEN / "flights", f"{site.url}/flights-dolt")
    bench_import(site, texts)
    bench_reading(site, texts)
    if site.has_dolt:
        bench_dolt_reading(site)
    bench_next_version(site, texts)
    bench_rewrite(site, texts)


def _edits(site: Site, texts: Texts) -> None:
    site.endpoints.upload(GOLDEN / "primes", f"{site.url}/primes")
    bench_edits(site, texts)


def _commits(count: int) -> Callable[[Site, Texts], None]:
    def bench(site: Site, _: Texts) -> None:
        for database in ("primes", "numbers"):
            site.endpoints.upload(GOLDEN / "primes", f"{site.url}/{database}")
        bench_commits(site, count)

    return bench


def _repetitions(count: int) -> Callable[[Site, Texts], None]:
    def bench(site: Site, texts: Texts) -> None:
        site.endpoints.upload(GOLDEN / "primes", f"{site.url}/primes")
        bench_repetitions(site, texts, count)

    return bench


def main() -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.mount", description=__doc__)
    parser.add_argument(
        "part",
        nargs="*",
        help="flights, edits, commits, branches, repetitions or rows; default: the first four",
    )
    parser.add_argument("--no-latency", action="store_true", help="leave the slow runs out")
    parser.add_argument("--commits", type=int, default=500, help="how many commits (500)")
    parser.add_argument("--repetitions", type=int, default=1000, help="how many (1000)")
    arguments = parser.parse_args()
    parts: dict[str, Callable[[Site, Texts], None]] = {
        "flights": _flights,
        "edits": _edits,
        "commits": _commits(arguments.commits),
        "branches": lambda site, _: bench_branches(site),
        "repetitions": _repetitions(arguments.repetitions),
        "rows": lambda site, _: bench_rows(site),
    }
    chosen = arguments.part or [part for part in parts if part not in ("repetitions", "rows")]
    if unknown := set(chosen) - set(parts):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    latencies = [("none", 0.0, 0.0)]
    if not arguments.no_latency:
        latencies.append(("30 ms (S3), 10 ms (DynamoDB)", S3_LATENCY_S, DYNAMODB_LATENCY_S))
    print(f"{platform.system()} {platform.release()}, Python {platform.python_version()}")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyfs-bench-")))
        texts = write_texts(folder)
        servers = stack.enter_context(running_servers())
        servers.make("manifests", "tables")
        for part in chosen:
            # What is counted with latency elsewhere says nothing more here.
            slow = part in ("flights", "edits")
            for number, (latency, s3_s, dynamodb_s) in enumerate(latencies[: 1 + slow]):
                with (
                    Proxy(servers.s3, s3_s).running() as s3,
                    Proxy(servers.dynamodb, dynamodb_s).running() as dynamodb,
                ):
                    place = folder / f"{part}{number}"
                    place.mkdir()
                    site = Site(place, s3, dynamodb, place.name)
                    parts[part](site, texts)
                    report(f"{part}, added latency: {latency}", site)


def report(title: str, site: Site) -> None:
    """Prints one run, each job beside dolt's."""
    print(f"\n{title}")
    print(
        f"{'job':<34}{'seconds':>8}{'requests':>9}{'MB down':>9}{'MB up':>8}"
        f"   {'dolt':<32}{'ratio':>6}"
    )
    for job, result in site.results.items():
        if job.startswith("dolt "):
            continue
        down, up = result.s3.down + result.dynamodb.down, result.s3.up + result.dynamodb.up
        line = f"{job:<34}{result.seconds:>8.2f}{result.requests:>9}"
        line += f"{down / 1e6:>9.2f}{up / 1e6:>8.2f}   "
        dolt = site.results.get(f"dolt {job}")
        if dolt is not None:
            cost = f"{dolt.seconds:.2f} s, {dolt.requests} requests, {dolt.bytes / 1e6:.1f} MB"
            line += f"{cost:<32}{dolt.seconds / result.seconds:>5.1f}x  "
        print(line + site.remarks.get(job, ""), flush=True)


if __name__ == "__main__":
    main()
