"""What a supervisor makes of the signs of life that it gets."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from labctl.channels import Channel, connect, listen
from labctl.host._supervisor import Beat, watch

KEY = b"a key of this test"
LONG_S, SHORT_S = 30.0, 0.3


def beat(turns: int, *, lit: bool = False, bye: bool = False) -> dict[str, Any]:
    return Beat(turns=turns, lit=lit, folder="", bye=bye).model_dump()


@contextmanager
def ends() -> Generator[tuple[Channel, Channel]]:
    """The engine's end and the supervisor's end of a channel."""
    listener, port = listen(KEY)
    with listener:
        found: list[Channel] = []
        thread = threading.Thread(target=lambda: found.append(Channel(listener.accept())))
        thread.start()
        supervisor = connect(port, KEY)
        thread.join()
    yield found[0], supervisor
    found[0].close()
    supervisor.close()


@pytest.mark.parametrize("beats_before", [0, 1, 5])
def test_who_takes_leave_and_hangs_up_at_once_has_not_died(beats_before: int) -> None:
    with ends() as (engine, supervisor):
        for turns in range(beats_before):
            engine.send(beat(turns, lit=True))
        engine.send(beat(beats_before, bye=True))
        engine.close()
        assert watch(supervisor, LONG_S)[0] == ""


def test_who_hangs_up_without_a_word_has_died() -> None:
    with ends() as (engine, supervisor):
        engine.send(beat(1, lit=True))
        engine.close()
        why, last = watch(supervisor, LONG_S)
    assert why == "the engine died"
    assert last == Beat(turns=1, lit=True)


def test_who_stands_still_in_the_light_hangs() -> None:
    with ends() as (engine, supervisor):
        engine.send(beat(1, lit=True))
        engine.send(beat(1, lit=True))
        why, _ = watch(supervisor, SHORT_S)
        assert why.startswith("the engine has not moved for 0.")


def test_who_falls_silent_in_the_light_hangs_too() -> None:
    with ends() as (engine, supervisor):
        engine.send(beat(1, lit=True))
        assert watch(supervisor, SHORT_S)[0].startswith("the engine has not moved")


def test_who_stands_still_in_the_dark_may_calculate() -> None:
    with ends() as (engine, supervisor):
        found: list[str] = []
        watching = threading.Thread(target=lambda: found.append(watch(supervisor, SHORT_S)[0]))
        watching.start()
        engine.send(beat(1))
        watching.join(4 * SHORT_S)
        assert watching.is_alive()
        engine.send(beat(1, bye=True))
        watching.join()
        assert found == [""]
