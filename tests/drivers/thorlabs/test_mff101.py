"""The flip mount: messages of the APT protocol, tapes, and the simulated mount in the light."""

from collections.abc import Callable, Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, RefusedError
from labctl.roles import Selector
from labctl.transport import GarbledBytesError, TapeTransport
from labctl_drivers.thorlabs import _apt_wire as apt
from labctl_drivers.thorlabs.mff101 import Mff101, Mff101Settings

STATUS = 0x042A
AT_FIRST = bytes.fromhex("2a 04 06 00 81 50 01 00 01 00 00 80")
AT_SECOND = bytes.fromhex("2a 04 06 00 81 50 01 00 02 00 00 80")
ON_ITS_WAY = bytes.fromhex("2a 04 06 00 81 50 01 00 20 00 00 80")
COMPLETED = bytes.fromhex("64 04 0e 00 81 50 01 00 00 00 00 00 00 00 00 00 02 00 00 80")
HARDWARE = (
    bytes.fromhex("06 00 54 00 81 50")
    + (37001234).to_bytes(4, "little")
    + b"MFF002\0\0"
    + bytes.fromhex("10 00 05 00 01 00")
    + b"APT Filter Flipper".ljust(46, b"\0")
    + bytes(14)
    + bytes.fromhex("03 00 00 00 01 00")
)
UNASKED = (0x0464,)


def test_orders_are_six_bytes() -> None:
    assert apt.encode_short(0x046A, 1, 1) == bytes.fromhex("6a 04 01 01 50 01")
    assert apt.encode_short(0x046A, 1, 2) == bytes.fromhex("6a 04 01 02 50 01")
    assert apt.encode_short(0x0429, 1) == bytes.fromhex("29 04 01 00 50 01")
    assert apt.encode_short(0x0005) == bytes.fromhex("05 00 00 00 50 01")


@pytest.mark.parametrize("ahead", [b"", COMPLETED])
@pytest.mark.parametrize("behind", [b"", COMPLETED, COMPLETED[:1]])
@pytest.mark.parametrize(
    ("number", "data"), [(STATUS, AT_FIRST), (STATUS, ON_ITS_WAY), (0x0006, HARDWARE)]
)
def test_messages_whole_and_byte_by_byte(
    number: int, data: bytes, ahead: bytes, behind: bytes
) -> None:
    stream = ahead + data
    cuts = [apt.decode_message(stream[:n], number, UNASKED) for n in range(len(stream))]
    assert cuts == [None] * len(stream)
    message = apt.decode_message(stream + behind, number, UNASKED)
    assert message == apt.Message(number, (0, 0), data[6:])


def test_what_messages_say() -> None:
    status = apt.decode_message(AT_SECOND, STATUS)
    hardware = apt.decode_message(HARDWARE, 0x0006)
    assert status is not None
    assert hardware is not None
    assert apt.read_status_bits(status) == 0x80000002
    assert apt.read_hardware(hardware) == (37001234, "MFF002", "1.0.5")
    short = apt.decode_message(bytes.fromhex("12 02 01 02 01 50"), 0x0212)
    assert short == apt.Message(0x0212, (1, 2), b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (AT_FIRST + AT_SECOND, "more than one"),
        (HARDWARE, "message 0x0006, not 0x042a"),
        (bytes.fromhex("2a 04 06 00 81 51 01 00 01 00 00 80"), "not a message from the unit"),
        (bytes.fromhex("2a 04 06 01 81 50"), "262 bytes"),
    ],
)
def test_what_is_no_answer(data: bytes, words: str) -> None:
    with pytest.raises(GarbledBytesError, match=words):
        apt.decode_message(data, STATUS, UNASKED)


def test_messages_of_another_length() -> None:
    for read in (apt.read_status_bits, apt.read_hardware):
        with pytest.raises(GarbledBytesError, match="bytes"):
            read(apt.Message(STATUS, (0, 0), b"12345"))


@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda tail: AT_FIRST[:8] + tail))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    try:
        message = apt.decode_message(data, STATUS, UNASKED)
        bits = 0 if message is None else apt.read_status_bits(message)
    except GarbledBytesError:
        return
    assert 0 <= bits < 2**32


ASK_HARDWARE = (bytes.fromhex("05 00 00 00 50 01"), HARDWARE)
HELLO = [ASK_HARDWARE, ASK_HARDWARE]
ASK_STATUS = bytes.fromhex("29 04 01 00 50 01")


def test_a_move_is_a_jog_and_the_state_is_asked_for() -> None:
    """Messages of the APT protocol as typed above, in the order in which a mount sends them."""
    exchanges = [
        *HELLO,
        (bytes.fromhex("6a 04 01 02 50 01"), b""),
        (ASK_STATUS, ON_ITS_WAY),
        (ASK_STATUS, ON_ITS_WAY),
        (ASK_STATUS, COMPLETED + AT_SECOND),
        (ASK_STATUS, AT_SECOND),
    ]
    tape = TapeTransport("mirror", exchanges, VirtualClock())
    driver = Mff101("mirror", tape, Mff101Settings.model_validate({}), {})
    assert driver.connect().serial == "37001234"
    driver.start_position("in")
    assert driver.is_moving()
    assert driver.read_position() == ""
    assert not driver.is_moving()
    driver.confirm_position("in")
    tape.check_finished()


@pytest.mark.parametrize("names", [["in"], ["in", "in"], ["a", "b", "c"], ["", "in"]])
def test_two_names_for_two_positions(names: list[str]) -> None:
    with pytest.raises(ValidationError):
        Mff101Settings.model_validate({"positions": names})


Connect = Callable[..., tuple[Mff101, Any]]


@pytest.fixture
def connect(bench: Callable[..., Any]) -> Generator[Connect]:
    drivers: list[Mff101] = []

    def make(**truth: Any) -> tuple[Mff101, Any]:
        found = bench(mirror={"simulator": "thorlabs.mff101", "truth": truth})
        driver = Mff101("mirror", found.visa("mirror"), Mff101Settings.model_validate({}), {})
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


@pytest.mark.parametrize("tells", [False, True])
def test_the_mirror_takes_the_light_away(connect: Connect, tells: bool) -> None:
    driver, bench = connect(tells_end_of_move=tells)
    assert isinstance(driver, Selector)
    table = bench.rig.world.table
    assert (driver.read_position(), table.attenuation_rel) == ("out", 1.0)
    driver.start_position("in")
    assert driver.is_moving()
    assert (driver.read_position(), table.attenuation_rel) == ("", 0.0)
    assert bench.rig.world.places.get("mirror") == ""
    bench.clock.sleep(0.61)
    assert not driver.is_moving()
    driver.confirm_position("in")
    assert table.attenuation_rel == 0.0
    assert bench.rig.world.places.get("mirror") == "in"
    driver.start_position("out")
    bench.clock.sleep(0.61)
    driver.confirm_position("out")
    assert table.attenuation_rel == 1.0
    driver.start_position("out")
    assert not driver.is_moving()


def test_a_stuck_mirror_arrives_nowhere(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("mirror", "stick")
    driver.start_position("in")
    bench.clock.sleep(10.0)
    assert driver.is_moving()
    with pytest.raises(DeviceRefusedError, match="none of its positions"):
        driver.confirm_position("in")
    bench.rig.inject("mirror", "clear")
    bench.clock.sleep(1.0)
    driver.confirm_position("in")


def test_a_position_that_there_is_not(connect: Connect) -> None:
    driver, _ = connect()
    with pytest.raises(RefusedError, match="positions: out, in"):
        driver.start_position("up")


@pytest.mark.parametrize("kind", ["drop", "garble", "disconnect", "late"])
def test_it_moves_after_a_disturbed_answer(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    bench.rig.inject("mirror", kind, **({"delay_s": 1.5} if kind == "late" else {}))
    try:
        driver.read_position()
    except DeviceError:
        driver.flush()
    driver.start_position("in")
    bench.clock.sleep(1.0)
    driver.confirm_position("in")
