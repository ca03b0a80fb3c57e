"""How far ahead of a reader to prepare text.

A stream is a run of reads of one text that follow each other. Its first read prepares nothing
(it may be the only one: `head -1`), each further one widens the window: fourfold where the stream
began at the beginning of the text, for most of those read all of it, else twofold. The kernel
hands out reads of one stream in parallel and slightly out of order, so a read near the stream's
end belongs to it. Several readers of one text are told apart by where they are.
"""

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
WINDOW_BYTES_MIN: Final = 512 * KIB
"""The window of a stream's second read: little enough for who only looks at the beginning."""
GROWTH: Final = 4
INNER_WINDOW_BYTES_MIN: Final = 1024 * KIB
"""The same where the stream began elsewhere: who seeks to a place reads more than a line."""
INNER_GROWTH: Final = 2
SLACK_BYTES: Final = 1024 * KIB
"""How far a read may be from the end of a stream and still belong to it."""
STREAMS_MAX: Final = 8


@dataclass(slots=True, eq=False)
class _Stream:
    start: int
    end: int
    window: int = 0
    ahead: int = 0

    def widen(self) -> None:
        if self.start:
            self.window = max(INNER_WINDOW_BYTES_MIN, INNER_GROWTH * self.window)
        else:
            self.window = max(WINDOW_BYTES_MIN, GROWTH * self.window)


class ReadAhead:
    """Tells sequential readers from seeking ones. Offsets and lengths in bytes of text."""

    def __init__(self, window_bytes_max: int) -> None:
        self._window_bytes_max = window_bytes_max
        self._streams: list[_Stream] = []  # most recently used last

    def note(self, offset: int, length: int) -> tuple[int, int] | None:
        """Notes a read; returns the `[start, stop)` to prepare now, if any.

        What was returned once for a stream is not returned again. The first span of a stream
        begins with the read itself: one request will do for both.
        """
        end = offset + length
        stream = self._stream_at(offset)
        if stream is None:
            self._remember(_Stream(start=offset, end=end))
            return None
        self._remember(stream)
        if end <= stream.end:
            return None
        stream.end = end
        # What is prepared already lasts for a while.
        if stream.start and stream.ahead - end > stream.window // 2:
            return None
        stream.widen()
        stream.window = min(self._window_bytes_max, stream.window)
        start = max(stream.ahead, end) if stream.ahead else offset
        stop = end + stream.window
        # Half a window at a time: many small requests would cost a round trip each.
        if stop - start < stream.window // 2:
            return None
        stream.ahead = stop
        return start, stop

    def _stream_at(self, offset: int) -> _Stream | None:
        near = [s for s in self._streams if abs(offset - s.end) <= SLACK_BYTES]
        return min(near, key=lambda s: abs(offset - s.end), default=None)

    def _remember(self, stream: _Stream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)
        self._streams.append(stream)
        del self._streams[:-STREAMS_MAX]
