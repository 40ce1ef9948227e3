"""The telegrams as pylablib and the ISIS emulator show them; regulation is seen by the driver."""

import hashlib
import struct
from collections.abc import Callable
from typing import Any

import pytest

from labctl_sim.attocube import Anc350
from labctl_sim.sample import load_sample
from labctl_sim.world import LaserTruth, World

SAMPLE = {
    "schema_version": 1,
    "name": "one dot",
    "composition": "CsPbBr3",
    "dots": {"A1": {"edge_length": "23 nm", "lifetime": "180 ps"}},
}
UPDATES_OFF = bytes.fromhex("14000000 00000000 45010000 00000000 01000000 00000000")


class Client:
    """A client of a simulated controller at one moment of the world."""

    def __init__(self, **truth: Any) -> None:
        self.now_s = 0.0
        self.later: list[Callable[[], None]] = []

        def schedule(_: float, action: Callable[[], None]) -> Callable[[], None]:
            self.later.append(action)
            return lambda: None

        def seed(*labels: object) -> int:
            return int.from_bytes(hashlib.sha256(repr(labels).encode()).digest()[:8], "big")

        self.world = World(
            sample=load_sample(SAMPLE),
            dot="A1",
            laser=LaserTruth(),
            now=lambda: self.now_s,
            schedule=schedule,
            seed=seed,
        )
        self.device = Anc350("stage", self.world, {}, {"sensor_noise_um": 0.0, **truth})
        self.sent = b""
        self.session = self.device.open(self._take)

    def _take(self, data: bytes) -> None:
        self.sent += data

    def say(self, data: bytes) -> bytes:
        self.sent = b""
        self.session.receive(data)
        return self.sent


def ask(opcode: int, address: int, index: int, number: int, *words: int) -> bytes:
    head = struct.pack("<IIIII", 16 + 4 * len(words), opcode, address, index, number)
    return head + struct.pack(f"<{len(words)}i", *words)


def value_of(answer: bytes) -> tuple[int, int]:
    """Give reason and value of one acknowledgement."""
    _, opcode, _, _, _, reason, value = struct.unpack("<IIIIIii", answer)
    assert opcode == 3
    return reason, value


def test_updates_come_unasked_until_they_are_switched_off() -> None:
    client = Client()
    update = bytes.fromhex("14000000 04000000 15040000 02000000 00000000 00000000")
    assert client.sent.endswith(update)
    assert len(client.sent) == 3 * len(update)
    client.sent = b""
    client.later.pop()()
    assert client.sent.endswith(update)
    answer = bytes.fromhex("18000000 03000000 45010000 00000000 01000000 00000000 00000000")
    assert client.say(UPDATES_OFF) == answer
    client.sent = b""
    client.later.pop()()
    assert client.sent == b""


def test_a_question_byte_by_byte_and_two_at_once() -> None:
    client = Client()
    question = bytes.fromhex("10000000 01000000 00040000 01000000 07000000")
    answer = bytes.fromhex("18000000 03000000 00040000 01000000 07000000 00000000 30750000")
    assert client.say(question) == answer
    parts = [client.say(question[n : n + 1]) for n in range(len(question))]
    assert parts == [b""] * (len(question) - 1) + [answer]
    assert client.say(question * 2) == answer * 2


def test_correlation_0_wants_no_answer() -> None:
    client = Client()
    assert client.say(ask(0, 0x0400, 0, 0, 25_000)) == b""
    assert value_of(client.say(ask(1, 0x0400, 0, 3))) == (0, 25_000)


@pytest.mark.parametrize(
    ("address", "index", "words", "reason"),
    [
        (0x0999, 0, (), 1),
        (0x0415, 3, (), 2),
        (0x0400, 0, (70_001,), 2),
        (0x0401, 0, (0,), 2),
        (0x3030, 0, (2,), 2),
        (0x0526, 0, (-1,), 2),
        (0x040D, 0, (1,), 3),
        (0x0410, 0, (1,), 3),
        (0x040E, 0, (0,), 0),
    ],
)
def test_reasons(address: int, index: int, words: tuple[int, ...], reason: int) -> None:
    opcode = 0 if words else 1
    assert value_of(Client().say(ask(opcode, address, index, 9, *words)))[0] == reason


def test_status_bits() -> None:
    client = Client()
    assert value_of(client.say(ask(1, 0x0404, 0, 1))) == (0, 0x800)
    client.say(ask(0, 0x3030, 0, 1, 1))
    client.say(ask(0, 0x0408, 0, 1, 50_000))
    client.say(ask(0, 0x040D, 0, 1, 1))
    assert value_of(client.say(ask(1, 0x0404, 0, 1))) == (0, 0x1801)
    client.device.fault_sensor_error("x", disconnected=True)
    assert value_of(client.say(ask(1, 0x0404, 0, 1)))[1] & 0x500 == 0x500
    client.device.clear_faults()
    client.device.reset()
    assert value_of(client.say(ask(1, 0x0404, 0, 1))) == (0, 0x800)


def test_noise_belongs_to_point_and_time_and_not_to_the_number_of_questions() -> None:
    client = Client(sensor_noise_um=0.02)
    position = ask(1, 0x0415, 0, 1)
    readings: list[int] = []
    for _ in range(400):
        readings.append(value_of(client.say(position))[1])
        assert value_of(client.say(position))[1] == readings[-1]
        client.now_s += 0.01
    mean_nm = sum(readings) / 400
    sd_nm = (sum((nm - mean_nm) ** 2 for nm in readings) / 399) ** 0.5
    # 20 nm: the standard error of the mean is 1 nm, of the deviation 0.7 nm; 4 sd.
    assert abs(mean_nm) < 4.0
    assert abs(sd_nm - 20.0) < 3.0
