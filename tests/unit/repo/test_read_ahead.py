from pyfs.repo.read_ahead import INNER_WINDOW_BYTES_MIN, SLACK_BYTES, WINDOW_BYTES_MIN, ReadAhead

KIB = 1024
MIB = 1024 * KIB
READ = 128 * KIB


def test_the_first_read_prepares_nothing() -> None:
    """`head -1` must not make the mount read the table."""
    assert ReadAhead(16 * MIB).note(0, READ) is None


def test_the_second_read_prepares_little() -> None:
    ahead = ReadAhead(16 * MIB)
    ahead.note(0, READ)
    assert ahead.note(READ, READ) == (READ, 2 * READ + WINDOW_BYTES_MIN)


def test_a_reader_that_seeks_to_a_place_gets_a_mebibyte_in_three_reads() -> None:
    ahead = ReadAhead(16 * MIB)
    start = 100 * MIB
    spans = [ahead.note(start + i * READ, READ) for i in range(8)]
    prepared = [span for span in spans if span is not None]
    assert prepared[0] == (start + READ, start + 2 * READ + INNER_WINDOW_BYTES_MIN)
    assert len(prepared) == 2
    assert prepared[1][1] <= start + 3 * MIB


def test_a_reader_that_began_in_the_middle_is_kept_ahead_of() -> None:
    ahead = ReadAhead(4 * MIB)
    prepared = 0
    for offset in range(MIB, 64 * MIB, READ):
        span = ahead.note(offset, READ)
        if span is not None:
            assert prepared in (0, span[0])
            prepared = span[1]
        assert offset < 2 * MIB or prepared > offset + READ
    assert prepared <= 64 * MIB + 4 * MIB


def test_a_sequential_reader_is_kept_ahead_of_without_gap_or_overlap() -> None:
    ahead = ReadAhead(4 * MIB)
    prepared = READ
    lead = []
    for offset in range(0, 64 * MIB, READ):
        span = ahead.note(offset, READ)
        if span is not None:
            assert span[0] == prepared
            prepared = span[1]
        lead.append(prepared - (offset + READ))
    assert max(lead) == 4 * MIB
    assert min(lead[50:]) >= 2 * MIB


def test_few_large_windows_rather_than_many_small_ones() -> None:
    ahead = ReadAhead(16 * MIB)
    spans = [ahead.note(offset, READ) for offset in range(0, 32 * MIB, READ)]
    assert sum(span is not None for span in spans) < 12


def test_reads_slightly_out_of_order_are_one_stream() -> None:
    ahead = ReadAhead(16 * MIB)
    ahead.note(0, READ)
    assert ahead.note(2 * READ, READ) is not None
    assert ahead.note(READ, READ) is None  # prepared already
    assert ahead.note(3 * READ, READ) is not None


def test_seeking_prepares_nothing() -> None:
    ahead = ReadAhead(16 * MIB)
    far = SLACK_BYTES + READ + 1
    assert [ahead.note(i * far, READ) for i in (7, 3, 11, 1, 5, 9)] == [None] * 6


def test_two_readers_of_one_text_do_not_disturb_each_other() -> None:
    ahead = ReadAhead(2 * MIB)
    for i in range(8):
        offset = 50 * MIB + i * READ
        one, two = ahead.note(offset, READ), ahead.note(offset + 100 * MIB, READ)
        assert (one is None) == (two is None)
        if one is not None and two is not None:
            assert two == (one[0] + 100 * MIB, one[1] + 100 * MIB)
