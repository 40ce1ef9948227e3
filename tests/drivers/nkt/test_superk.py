"""The laser: telegrams as pyLabLib exchanged them, and the simulated laser in the world."""

from collections.abc import Callable, Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, RefusedError
from labctl.roles import Laser
from labctl.transport import GarbledBytesError, RefusalError, TapeTransport
from labctl_drivers.nkt import _superk_wire as wire
from labctl_drivers.nkt._superk_wire import Kind
from labctl_drivers.nkt.superk import SuperK, SuperKSettings

READ_TYPE = bytes.fromhex("0d 0f 40 04 61 79 00 0a")
TYPE = bytes.fromhex("0d 40 0f 08 61 60 38 9a 0a")
WRITE_POWER = bytes.fromhex("0d 0f 40 05 37 58 02 8f 4f 0a")
POWER_TAKEN = bytes.fromhex("0d 40 0f 03 37 51 4a 0a")
WRITE_EMISSION = bytes.fromhex("0d 0f 40 05 30 03 d5 63 0a")
EMISSION_TAKEN = bytes.fromhex("0d 40 0f 03 30 21 ad 0a")
"""pyLabLib's side and the module's side of a conversation."""


def test_telegrams_of_pylablib() -> None:
    assert wire.encode(15, Kind.READ, 0x61) == READ_TYPE
    assert wire.encode(15, Kind.WRITE, 0x37, (600).to_bytes(2, "little")) == WRITE_POWER
    assert wire.encode(15, Kind.WRITE, 0x30, b"\3") == WRITE_EMISSION


ANSWERS = [
    (TYPE, Kind.DATAGRAM, 0x61, b"\x60"),
    (POWER_TAKEN, Kind.ACKNOWLEDGE, 0x37, b""),
    (EMISSION_TAKEN, Kind.ACKNOWLEDGE, 0x30, b""),
]


@pytest.mark.parametrize(("data", "kind", "register", "value"), ANSWERS)
def test_answers_whole_byte_by_byte_and_with_trailing_bytes(
    data: bytes, kind: Kind, register: int, value: bytes
) -> None:
    cuts = [wire.decode_reply(data[:n], 15, kind, register) for n in range(len(data))]
    assert cuts == [None] * len(data)
    assert wire.decode_reply(data, 15, kind, register) == value
    for more in (data, b"\0"):
        with pytest.raises(GarbledBytesError):
            wire.decode_reply(data + more, 15, kind, register)
    for changed in range(1, len(data) - 1):
        spoilt = bytearray(data)
        spoilt[changed] ^= 0x80
        with pytest.raises(GarbledBytesError):
            wire.decode_reply(bytes(spoilt), 15, kind, register)


def reply(kind: int, payload: bytes) -> bytes:
    body = bytes((0x40, 15, kind)) + payload
    body += wire.crc(body).to_bytes(2, "big")
    escaped = b"".join(
        bytes((0x5E, b + 0x40)) if b in b"\x0a\x0d\x5e" else bytes((b,)) for b in body
    )
    return b"\x0d" + escaped + b"\x0a"


@given(st.binary(max_size=20))
def test_any_data_survives_the_frame(data: bytes) -> None:
    assert wire.decode_reply(reply(8, b"\x65" + data), 15, Kind.DATAGRAM, 0x65) == data


@given(st.binary(max_size=30) | st.binary(max_size=30).map(lambda b: b"\x0d" + b + b"\x0a"))
def test_any_bytes_are_an_answer_or_an_error(data: bytes) -> None:
    try:
        found = wire.decode_reply(data, 15, Kind.DATAGRAM, 0x61)
    except (GarbledBytesError, RefusalError):
        return
    assert found is None or len(found) <= len(data)


@pytest.mark.parametrize(("kind", "words"), [(0, "not understood"), (1, "checksum"), (2, "busy")])
def test_refusals(kind: int, words: str) -> None:
    with pytest.raises(RefusalError, match=words):
        wire.decode_reply(reply(kind, b"\x30"), 15, Kind.ACKNOWLEDGE, 0x30)


def test_another_module_on_the_bus() -> None:
    kind = reply(8, b"\x61\x66")
    tape = TapeTransport("laser", [(READ_TYPE, kind)], VirtualClock())
    driver = SuperK("laser", tape, SuperKSettings.model_validate({}), {})
    with pytest.raises(DeviceRefusedError, match="type 0x66, not 0x60"):
        driver.connect()


Connect = Callable[..., tuple[SuperK, Any]]


@pytest.fixture
def connect(bench: Callable[..., Any]) -> Generator[Connect]:
    drivers: list[SuperK] = []

    def make(settings: dict[str, Any] | None = None, **truth: Any) -> tuple[SuperK, Any]:
        parsed = SuperKSettings.model_validate(settings or {})
        own = {"intensity_percent": parsed.intensity} if parsed.intensity else {}
        found = bench(laser={"simulator": "nkt.superk", "settings": own, "truth": truth})
        driver = SuperK("laser", found.visa("laser"), parsed, {})
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


def test_it_is_dark_until_it_is_told_to_emit(connect: Connect) -> None:
    driver, bench = connect({"intensity": "60 %", "rep_rate": "10 MHz"}, on_at_start=True)
    assert isinstance(driver, Laser)
    table = bench.rig.world.table
    assert (driver.is_emitting(), table.laser_on) == (False, False)
    driver.set_emission(True)
    assert (driver.is_emitting(), table.laser_on, table.attenuation_rel) == (True, True, 1.0)
    assert driver.snapshot() == {
        "serial": "18260432",
        "emitting": True,
        "interlock": "closed",
        "status_bits": 1,
        "intensity_percent": pytest.approx(60.0),
        "rep_rate_hz": 1e7,
        "inlet_temperature_c": pytest.approx(23.4),
        "watchdog_s": 0,
    }
    driver.make_safe("off")
    assert table.laser_on is False


def test_level_and_rate_change_the_light(connect: Connect) -> None:
    driver, bench = connect({"intensity": "60 %"})
    for quantity, value in (("intensity", 30.0), ("rep_rate", 2.5e6)):
        settable = driver.settable(quantity)
        settable.start(value)
        assert settable.confirm(value) == pytest.approx(value)
    assert 0.0 < bench.rig.world.table.attenuation_rel < 0.4
    assert bench.rig.world.laser.rep_rate_hz == 2.5e6
    with pytest.raises(RefusedError, match="80 MHz over 1, 2, 3"):
        driver.start_rep_rate(7e6)


def test_an_open_interlock(connect: Connect) -> None:
    driver, bench = connect()
    driver.set_emission(True)
    bench.rig.inject("laser", "interlock")
    assert not driver.is_emitting()
    with pytest.raises(DeviceRefusedError, match="interlock is open or was not reset"):
        driver.set_emission(True)
    bench.rig.inject("laser", "clear")
    assert not driver.is_emitting()
    driver.set_emission(True)


def test_the_watchdog_ends_the_light_when_nobody_talks(connect: Connect) -> None:
    driver, bench = connect({"watchdog": "5 s"})
    driver.set_emission(True)
    for _ in range(4):
        bench.clock.sleep(3.0)
        assert driver.is_emitting()
    bench.clock.sleep(6.0)
    assert bench.rig.world.table.laser_on is False
    assert not driver.is_emitting()


def test_a_busy_module_is_a_refusal(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("laser", "busy")
    with pytest.raises(DeviceRefusedError, match="the module is busy"):
        driver.is_emitting()
    assert not driver.is_emitting()


@pytest.mark.parametrize("kind", ["drop", "garble", "disconnect", "late", "busy"])
def test_it_is_made_safe_after_a_disturbed_answer(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    driver.set_emission(True)
    bench.rig.inject("laser", kind, **({"delay_s": 1.5} if kind == "late" else {}))
    try:
        driver.make_safe("off")
    except DeviceError:
        driver.flush()
        driver.make_safe("off")
    assert bench.rig.world.table.laser_on is False
