"""`HandleTable`: numbers for open files and directories."""

from __future__ import annotations

from typing import Generic, TypeVar

from pyfuse3 import FileHandleT

T = TypeVar("T")


class HandleTable(Generic[T]):
    """What is open, by the number that the kernel has for it."""

    def __init__(self) -> None:
        self._open: dict[int, T] = {}
        self._last = 0

    def add(self, handle: T) -> FileHandleT:
        self._last += 1
        self._open[self._last] = handle
        return FileHandleT(self._last)

    def __getitem__(self, number: FileHandleT) -> T:
        return self._open[number]

    def remove(self, number: FileHandleT) -> T:
        return self._open.pop(number)

    def __len__(self) -> int:
        return len(self._open)
