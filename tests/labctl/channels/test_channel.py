"""The channel between processes carries values, and only for who knows the key."""

import threading
from collections.abc import Generator
from multiprocessing import AuthenticationError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.channels import Channel, accept_from, connect, listen
from labctl.errors import LabctlError, RefusedError
from labctl.host import LeasedWorld

KEY = b"a secret of this test"
Pair = tuple[Channel, Channel]


def connected() -> Pair:
    listener, port = listen(KEY)
    found: list[Channel] = []
    thread = threading.Thread(target=lambda: found.append(connect(port, KEY)))
    thread.start()
    here = Channel(listener.accept())
    thread.join()
    listener.close()
    return here, found[0]


@pytest.fixture(scope="module")
def line() -> Generator[Pair]:
    here, there = connected()
    yield here, there
    here.close()
    there.close()


@pytest.fixture
def pair() -> Generator[Pair]:
    here, there = connected()
    yield here, there
    here.close()
    there.close()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8"))
    | st.floats(allow_nan=False)
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=10,
)


@given(value=JSON)
def test_values_and_bytes_arrive_as_they_were_sent(line: Pair, value: object) -> None:
    here, there = line
    here.send(value)
    assert there.receive() == value


def test_both_directions(pair: Pair) -> None:
    here, there = pair
    there.send({"frame": b"\0\xff" * 1000, "n": 1})
    assert here.receive() == {"frame": b"\0\xff" * 1000, "n": 1}
    assert not here.poll()
    here.send([1, None])
    assert there.receive() == [1, None]


def test_what_is_no_value_does_not_travel(pair: Pair) -> None:
    with pytest.raises(TypeError, match="object does not travel"):
        pair[0].send(object())


def test_the_end_of_the_other_side_is_seen(pair: Pair) -> None:
    pair[1].close()
    with pytest.raises(EOFError):
        pair[0].receive()


def test_a_caller_without_the_key_is_not_let_in_and_the_next_one_is() -> None:
    listener, port = listen(KEY)
    refused: list[bool] = []
    found: list[Channel] = []

    def call() -> None:
        try:
            connect(port, b"another key")
        except AuthenticationError:
            refused.append(True)
        found.append(connect(port, KEY))

    thread = threading.Thread(target=call)
    thread.start()
    with listener:
        channel = accept_from(listener, port, alive=lambda: True)
    thread.join()
    assert channel is not None
    assert refused == [True]
    found[0].close()
    channel.close()


def test_a_child_that_dies_before_it_calls_ends_the_waiting() -> None:
    listener, port = listen(KEY)
    with listener:
        assert accept_from(listener, port, alive=lambda: False) is None


def test_a_world_that_has_gone_is_an_error_of_ours() -> None:
    listener, port = listen(KEY)
    found: list[LeasedWorld] = []
    thread = threading.Thread(target=lambda: found.append(LeasedWorld(port, KEY, {})))
    thread.start()
    Channel(listener.accept()).close()
    thread.join()
    listener.close()
    with pytest.raises(LabctlError, match=r"the simulated world has gone \(step\)"):
        found[0].step(None)
    with pytest.raises(RefusedError, match="lives in another process"):
        found[0].schedule(0.0, lambda: None)
    found[0].close()
