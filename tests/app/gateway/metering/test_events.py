import pytest

from serve_app.gateway.metering.events import EventBuffer, data_of, last_end, split

ONE, TWO = b"event: a\ndata: 1\n\n", b": comment\ndata:2\ndata: 3\n\n"


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_events_are_split_behind_their_blank_lines(line_end: bytes) -> None:
    one, two = ONE.replace(b"\n", line_end), TWO.replace(b"\n", line_end)
    assert split(one + two) == [one, two]
    assert [data_of(event).split() for event in (one, two)] == [[b"1"], [b"2", b"3"]]


def test_a_line_end_too_many_is_kept() -> None:
    for text in (ONE + b"\n", ONE + b"\n\n" + TWO, b"\n\n\n\n\n"):
        assert b"".join(split(text)) == text


def test_the_last_end() -> None:
    assert last_end(ONE + TWO + b"data") == len(ONE + TWO)
    assert last_end(ONE.replace(b"\n", b"\r\n") + b"x") == len(ONE) + 3
    assert [last_end(text) for text in (b"", b"\n", b"data: 1\n", b"\r\n")] == [0, 0, 0, 0]
    assert last_end(b"\n\n") == 2


def test_a_buffer_gives_whole_events_out() -> None:
    buffer = EventBuffer(100)
    assert buffer.take(ONE[:-1]) == (b"", b"")
    assert buffer.take(ONE[-1:] + TWO + b"da") == (b"", ONE + TWO)
    assert buffer.rest() == b"da"
    assert (buffer.rest(), bytes(buffer.held)) == (b"", b"")


def test_an_event_that_is_too_long_passes_as_it_comes() -> None:
    buffer = EventBuffer(10)
    assert buffer.take(b"x" * 20) == (b"", b"")
    assert buffer.take(b"y" * 20) == (b"x" * 20 + b"y" * 20, b"")
    assert buffer.take(b"z\n") == (b"z\n", b"")
    assert buffer.take(b"\n" + ONE) == (b"\n", ONE)
    assert len(buffer.held) == 0
