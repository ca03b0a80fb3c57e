"""Trees that pyfs builds hold what was put in, however many nodes they take."""

from typing import TYPE_CHECKING, Protocol, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from pyfs._core import (
    Address,
    AddressMapScan,
    Chunk,
    ClosureEdit,
    ClosureLookup,
    Commit,
    RootValue,
    store_root,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

T_co = TypeVar("T_co", covariant=True)


class Traversal(Protocol[T_co]):
    def needs(self, limit: int) -> list[Address]: ...
    def feed(self, chunks: "Sequence[Chunk]") -> None: ...
    def result(self) -> T_co: ...


def drive(traversal: Traversal[T_co], chunks: dict[Address, Chunk], limit: int) -> T_co:
    handed_out: set[Address] = set()
    while addresses := traversal.needs(limit):
        assert handed_out.isdisjoint(addresses)
        handed_out.update(addresses)
        traversal.feed([chunks[address] for address in reversed(addresses)])
    return traversal.result()


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
addresses = st.binary(min_size=20, max_size=20).map(Address)
maps = st.dictionaries(names, addresses, max_size=20) | st.integers(300, 1500).map(
    lambda count: {f"refs/heads/{n}": Address.of(str(n).encode()) for n in range(count)}
)


@settings(deadline=None)
@given(entries=maps, limit=st.integers(1, 50))
def test_a_map_is_scanned_as_it_was_given(entries: dict[str, Address], limit: int) -> None:
    for made, scan in [
        (store_root(entries), AddressMapScan.datasets),
        (RootValue.empty().with_tables(entries, Address.EMPTY), AddressMapScan.tables),
    ]:
        chunks = {chunk.address: chunk for chunk in made}
        assert drive(scan(made[-1]), chunks, limit) == entries


@settings(deadline=None, max_examples=20)
@given(length=st.integers(1, 800), data=st.data())
def test_a_closure_holds_all_ancestors_and_no_others(length: int, data: st.DataObject) -> None:
    chunks: dict[Address, Chunk] = {}
    history: list[Commit] = []
    for height in range(1, length + 1):
        closure = Address.EMPTY
        if history:
            made = drive(ClosureEdit(history[-1]), chunks, 1)
            chunks.update((chunk.address, chunk) for chunk in made)
            closure = made[-1].address
        commit, _ = Commit.create(
            root=Address.EMPTY,
            parents=history[-1:],
            closure=closure,
            name="Ada",
            email="ada@example.com",
            message=f"{height}",
            timestamp_ms=height,
        )
        assert commit.height == height
        history.append(commit)
    of, other = (data.draw(st.sampled_from(history)) for _ in range(2))
    assert drive(ClosureLookup(of, other), chunks, 1) == (other.height < of.height)
