"""Garbled replies of every byte protocol: row 2 of the fault matrix.

What an instrument really says is recorded from its simulator; then every reply is mutated in turn.
A driver may refuse a garbled reply, with one of our errors, or take a number from it that such an
instrument can say; nothing else, and in bounded time.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labctl.clock import VirtualClock
from labctl.errors import LabctlError
from labctl.host import SimulatedBy, connect_station
from labctl.roles import Instrument
from labctl.setup import InstrumentSetup, load_setup
from labctl.transport import Transport

SETUPS = Path(__file__).parents[2] / "configs" / "setups"
MUTATIONS = 10_000
"""Per protocol."""
WORDS = (b"nan", b"-0.100", b"inf", b"1e999", b"99999999999", b"-1", b"ERR", b"\x00\xff")
POSSIBLE: Mapping[str, tuple[float, float]] = {
    "K": (0.0, 2000.0),
    "V": (-1100.0, 1100.0),
    "A": (-10.0, 10.0),
    "W": (-1e4, 1e4),
    "nm": (-1e4, 1e5),
    "um": (-1e7, 1e7),
    "mm": (-1e4, 1e4),
    "deg": (-1e6, 1e6),
    "Hz": (0.0, 1e10),
    "Pa": (0.0, 1e7),
    "%": (-1000.0, 1000.0),
    "": (-1e6, 1e6),
}
"""What instruments of this kind can say at all, by unit."""


@dataclass
class Recorded:
    """What one instrument answers: bytes sent → bytes received."""

    entry: InstrumentSetup
    answers: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])


class Line:
    """A port that answers at once, from the book; ``garble`` changes what comes."""

    reopen_cures = True

    def __init__(self, answers: Mapping[bytes, bytes]) -> None:
        self._answers, self._inbox = answers, b""
        self.garble: Mutator | None = None

    def send(self, data: bytes) -> None:
        answer = self._answers.get(data, b"")
        self._inbox += answer if self.garble is None else self.garble(answer)

    def receive(self) -> bytes:
        received, self._inbox = self._inbox, b""
        return received

    def close(self) -> None:
        self._inbox = b""


class Mutator:
    """Garbles one reply after the other, by a seeded choice."""

    def __init__(self, seed: int, others: list[bytes]) -> None:
        self._random, self._others = np.random.default_rng(seed), others
        self._ways = (
            self._flip,
            self._cut,
            self._join,
            self._comma,
            self._word,
            self._noise,
            self._swap,
        )

    def __call__(self, reply: bytes) -> bytes:
        return self._ways[self._below(len(self._ways))](reply)

    def _below(self, count: int) -> int:
        return int(self._random.integers(count))

    def _other(self) -> bytes:
        return self._others[self._below(len(self._others))]

    def _flip(self, reply: bytes) -> bytes:
        changed = bytearray(reply)
        for _ in range(1 + self._below(3)):
            if changed:
                changed[self._below(len(changed))] ^= 1 << self._below(8)
        return bytes(changed)

    def _cut(self, reply: bytes) -> bytes:
        return reply[: self._below(len(reply) + 1)]

    def _join(self, reply: bytes) -> bytes:
        return reply + self._other()

    def _swap(self, _: bytes) -> bytes:
        return self._other()

    def _comma(self, reply: bytes) -> bytes:
        return reply.replace(b".", b",")

    def _word(self, reply: bytes) -> bytes:
        place = self._below(len(reply) + 1)
        return reply[:place] + WORDS[self._below(len(WORDS))] + reply[place + 1 :]

    def _noise(self, reply: bytes) -> bytes:
        return self._random.bytes(len(reply)) + reply[-2:]


def recorded() -> Iterator[tuple[str, Recorded]]:
    """Let every byte protocol of the shipped set-ups say everything that its driver can ask."""
    seen: set[str] = set()
    for path in sorted(SETUPS.glob("*.yaml")):
        setup = load_setup(path)
        wanted = {
            key: entry
            for key, entry in setup.instruments.items()
            if entry.driver_type.interface == "stream" and entry.driver not in seen
        }
        if not wanted:
            continue
        seen |= {entry.driver for entry in wanted.values()}
        with connect_station(setup, SimulatedBy()) as connection:
            for key, entry in wanted.items():
                read_all(connection.station[key])
                yield entry.driver, Recorded(entry, pairs(connection.recorder.dump(key)))


def pairs(traffic: list[dict[str, Any]]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    last = b""
    for entry in traffic:
        if "sent" in entry:
            last = entry["sent"].encode("latin-1")
            found[last] = b""
        elif "received" in entry:
            found[last] = found.get(last, b"") + entry["received"].encode("latin-1")
    return found


def read_all(instrument: Instrument) -> None:
    instrument.snapshot()
    for quantity in instrument.readables:
        try:
            instrument.read(quantity)
        except LabctlError:
            continue  # in a state in which it cannot be told


@pytest.fixture(scope="module")
def protocols() -> dict[str, Recorded]:
    return dict(recorded())


def connected(known: Recorded, line: Line) -> Instrument:
    clock = VirtualClock()
    entry = known.entry
    make: Any = entry.driver_type
    link = Transport(entry.name, lambda: line, clock)
    instrument: Instrument = make(entry.name, link, entry.settings, entry.limits)
    instrument.connect()
    return instrument


def problem(quantity: str, unit: str, value: float) -> str:
    low, high = POSSIBLE.get(unit, (-1e12, 1e12))
    if math.isnan(value) or low <= value <= high:
        return ""
    return f"{quantity} = {value} {unit}"


def fuzzed(driver: str, known: Recorded, count: int) -> Iterator[str]:
    """Ask for everything in turn, each reply garbled; yields what must not be."""
    line = Line(known.answers)
    instrument = connected(known, line)
    garble = Mutator(0, list(known.answers.values()))
    asked = itertools.islice(itertools.cycle(["", *instrument.readables]), count)
    for quantity in asked:
        line.garble = garble
        try:
            value = instrument.read(quantity) if quantity else instrument.identity()
        except LabctlError:
            line.garble = None
            recover(instrument)
        # Anything else that is raised would have ended the run.
        except Exception as error:
            yield f"{driver} {quantity or 'identity'}: {error!r}"
        else:
            if isinstance(value, float):
                unit = instrument.readables[quantity]
                yield problem(f"{driver} {quantity}", unit, value)


def recover(instrument: Instrument) -> None:
    try:
        instrument.flush()
    except LabctlError:
        instrument.close()
        instrument.connect()


def test_every_byte_protocol_is_tried(protocols: dict[str, Recorded]) -> None:
    drivers = entry_points(group="labctl.drivers")
    assert set(protocols) == {one.name for one in drivers if one.load().interface == "stream"}


def test_no_garbled_reply_passes_for_an_impossible_number(
    protocols: dict[str, Recorded],
) -> None:
    wrong: set[str] = set()
    for driver, known in protocols.items():
        wrong.update(fuzzed(driver, known, MUTATIONS))
    assert sorted(wrong - {""}) == []
