"""What other projects' clients hear from the instruments, our codecs understand, too.

``tests/clients/record_tapes.py`` has recorded it: unmodified clients against the simulators. The
figures are those that the client itself printed or had set.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labctl.transport import RefusalError, read_tape
from labctl_drivers.keithley import _scpi_wire
from labctl_drivers.lakeshore import _lakeshore_wire
from labctl_drivers.montana import _cryostation_wire
from labctl_drivers.newport import _esp300_wire
from labctl_drivers.nkt import _superk_wire
from labctl_drivers.princeton import _spectrapro_wire
from labctl_drivers.thorlabs import _apt_wire, _fw102c_wire, _pm100d_wire, _sc10_wire

HERE = Path(__file__).parent


def heard(tape: str) -> dict[str, list[bytes]]:
    """Return every reply by the last command of what was sent before it."""
    found: dict[str, list[bytes]] = {}
    for sent, received in read_tape(HERE / tape):
        command = sent.decode("latin-1").replace("\r", "\n").strip().rpartition("\n")[2]
        found.setdefault(command, []).append(received)
    return found


def test_qmi_and_the_cryostation() -> None:
    talk = heard("montana/tapes/qmi_cryostation.tape")

    def reading(command: str, largest: float) -> float:
        found = _cryostation_wire.decode_reading(talk[command][0], largest=largest)
        assert found is not None
        assert found.value is not None
        return found.value

    assert reading("03GPT", 400.0) == 4.0
    assert reading("03GST", 400.0) == 4.003
    assert reading("03GPS", 400.0) == 0.02284
    assert reading("04GS1T", 400.0) == 35.0
    assert reading("04GTSP", 400.0) == 12.5
    assert _cryostation_wire.decode_alarm(talk["03GAS"][0]) is False
    assert _cryostation_wire.decode_ok(talk["10STSP 12.50"][0]) is not None
    assert _cryostation_wire.decode_ok(talk["03SCD"][0]) is not None
    # Our driver would have sent the same.
    assert _cryostation_wire.encode(_cryostation_wire.SetPoint(12.5)) == b"10STSP 12.50"
    with pytest.raises(Exception, match="magnet"):
        _cryostation_wire.decode_ok(talk["03GMS"][0])


def test_yaq_and_the_monochromator() -> None:
    talk = heard("princeton/tapes/yaqd_spectrapro.tape")

    def text(command: str, parse: Callable[[str], Any]) -> Any:
        found = _spectrapro_wire.decoder(command, parse, None)(talk[command][-1])
        assert found is not None
        return found.value

    assert text("?NM", _spectrapro_wire.parse_wavelength) == 531.0
    assert text("531.0 GOTO", _spectrapro_wire.parse_nothing) == ""
    assert text("?GRATING", _spectrapro_wire.parse_number) == 2
    assert text("?MIRROR", _spectrapro_wire.parse_mirror) == "side"
    assert text("?MICRONS", _spectrapro_wire.parse_micrometers) == 105.0
    gratings = text("?GRATINGS", _spectrapro_wire.parse_gratings)
    assert [gratings[n].lines_per_mm for n in (1, 2)] == [300.0, 1800.0]


def test_pymeasure_and_the_2450() -> None:
    talk = heard("keithley/tapes/pymeasure_keithley.tape")
    (identity,) = set(talk["*IDN?"])
    assert _scpi_wire.parse_text(identity.decode().strip()).split(",")[1] == "MODEL 2450"

    def number(command: str) -> float:
        (value,) = _scpi_wire.parse_numbers(1)(talk[command][-1].decode().strip())
        return value

    assert number(":SOUR:VOLT?") == 10.0
    assert number(":SOUR:VOLT:ILIM?") == 1e-6
    assert number(":READ?") == 9.974589e-10
    assert _scpi_wire.parse_flag(talk["OUTPUT?"][0].decode().strip()) is True
    assert set(map(_scpi_wire.nothing, talk["SYST:ERR?"])) == {""}


def test_qcodes_and_the_2400() -> None:
    talk = heard("keithley/tapes/qcodes_keithley2400.tape")
    readings = [_scpi_wire.parse_numbers(2)(r.decode().strip()) for r in talk[":READ?"]]
    assert readings == [(-4.0, -4.020765e-10), (-4.0, -4.018579e-10)]
    assert _scpi_wire.parse_flag(talk[":OUTP:STAT?"][0].decode().strip()) is True
    assert _scpi_wire.parse_numbers(1)(talk["SENS:CURR:PROT?"][0].decode().strip()) == (1e-6,)


def test_two_clients_and_the_336() -> None:
    own = heard("lakeshore/tapes/lakeshore336.tape")
    # The maker's library asks as our driver does, with the register of events behind.
    assert _lakeshore_wire.answer(_lakeshore_wire.parse_kelvin)(own["SETP? 1;*ESR?"][0]) == (15.5,)
    heater = _lakeshore_wire.answer(_lakeshore_wire.parse_number)(own["HTR? 1;*ESR?"][0])
    assert heater == (0.6,)
    assert _lakeshore_wire.nothing(own["SETP 1,15.5;*ESR?"][0]) is not None
    # The first answer after power has been switched on says so; it is no fault of the question.
    assert own["KRDG? A;*ESR?"] == [b"+4.01249E+0;128\r\n"]
    other = heard("lakeshore/tapes/pymeasure_lakeshore.tape")
    assert _lakeshore_wire.parse_kelvin(other["KRDG? A"][0].decode().strip()) == 4.01086
    assert _lakeshore_wire.parse_kelvin(other["SETP? 1"][0].decode().strip()) == 21.0
    assert _lakeshore_wire.parse_whole(other["RANGE? 1"][0].decode().strip()) == 2.0


def test_pymeasure_and_the_esp300() -> None:
    talk = heard("newport/tapes/pymeasure_esp300.tape")
    assert _esp300_wire.parse_text(talk["1SN?"][0]) == "2"
    assert _esp300_wire.parse_flag(talk["1MO?"][0]) is True
    assert _esp300_wire.parse_number(talk["1SR?"][0]) == 75.0
    assert list(map(_esp300_wire.parse_flag, talk["1MD?"])) == [False, True]
    assert _esp300_wire.parse_number(talk["1TP"][0]) == 12.5
    assert list(map(_esp300_wire.parse_number, talk["TE?"])) == [106.0, 0.0]


def test_qmi_and_the_power_meter() -> None:
    talk = heard("thorlabs/tapes/qmi_pm100d.tape")
    sensor = _pm100d_wire.decode_sensor(talk["SYST:SENS:IDN?"][0])
    assert sensor is not None
    assert sensor.measures_power
    assert sensor.wavelength_settable
    assert list(map(_pm100d_wire.decode_reading, talk["MEAS:POW?"])) == [
        7.70464358e-10,
        2.54207537e-09,
    ]
    assert _pm100d_wire.decode_number(talk["SENS:CORR:WAV?"][0]) == 405.0
    assert _pm100d_wire.decode_number(talk["SENS:POW:RANG?"][0]) == 5e-7
    assert set(map(_pm100d_wire.decode_error, talk["SYST:ERR?"])) == {""}
    assert _pm100d_wire.decode_fields(talk["*IDN?"][0]) == (
        "Thorlabs",
        "PM100D",
        "P0012345",
        "2.4.0",
    )


def test_pylablib_and_the_filter_wheel() -> None:
    talk = heard("thorlabs/tapes/pylablib_fw102c.tape")
    assert _fw102c_wire.decode_number(talk["pcount?"][0], "pcount?") == 6
    assert _fw102c_wire.decode_number(talk["pos?"][0], "pos?") == 1
    assert _fw102c_wire.decode_number(talk["sensors?"][0], "sensors?") == 0
    assert _fw102c_wire.decode_order(talk["sensors=0"][0], "sensors=0") is not None
    # It does not wait for the prompt of an order: to our codec that answer is not there yet.
    assert _fw102c_wire.decode_order(talk["pos=5"][0], "pos=5") is None


def test_pylablib_and_the_flip_mount() -> None:
    pairs = read_tape(HERE / "thorlabs/tapes/pylablib_mff101.tape")
    hardware = _apt_wire.decode_message(pairs[0][1], 0x0006)
    assert hardware is not None
    serial, model, _ = _apt_wire.read_hardware(hardware)
    assert (serial, model) == (37001234, "MFF002")
    assert _apt_wire.encode_short(0x0005) == pairs[0][0]
    states: list[int] = []
    for sent, received in pairs:
        if sent.endswith(_apt_wire.encode_short(0x0429, 1)):
            message = _apt_wire.decode_message(received, 0x042A)
            assert message is not None
            states.append(_apt_wire.read_status_bits(message))
    # At the first position, between them for a while, at the second.
    assert (states[0] & 0x2F3, states[-1] & 0x2F3) == (0x01, 0x02)
    assert all(bits & 0x2F0 for bits in states[1:-2])
    assert len(states) > 4


def test_pylablib_and_the_white_light_laser() -> None:
    found: dict[int, set[bytes]] = {0x61: set(), 0x65: set(), 0x37: set()}
    for sent, received in read_tape(HERE / "nkt/tapes/pylablib_superk.tape"):
        telegram = b"\r" + sent.rpartition(b"\r")[2]
        for register, answers in found.items():
            if telegram == _superk_wire.encode(15, _superk_wire.Kind.READ, register):
                kind = _superk_wire.Kind.DATAGRAM
                answer = _superk_wire.decode_reply(received, 15, kind, register)
                assert answer is not None
                answers.add(answer)
    power_percent = (600).to_bytes(2, "little")  # tenths
    assert found == {0x61: {b"\x60"}, 0x65: {b"18260432"}, 0x37: {power_percent}}


def test_pylablib_and_the_shutter() -> None:
    talk = heard("thorlabs/tapes/pylablib_sc10.tape")
    identity, enabled = _sc10_wire.Command.IDENTITY, _sc10_wire.Command.ENABLED
    assert _sc10_wire.decode_value(talk["id?"][0], identity) == "THORLABS SC10 VERSION 1.07"
    assert _sc10_wire.decode_flag(talk["ens?"][0], enabled) is False
    # It does not wait for the prompt of an order, which then comes before the next echo.
    assert talk["ens?"][1].startswith(b"> ")
    assert _sc10_wire.decode_flag(talk["ens?"][1], enabled) is True


def test_pymeasure_and_the_led_driver() -> None:
    talk = heard("thorlabs/tapes/pymeasure_dc2200.tape")
    assert _pm100d_wire.decode_fields(talk["*IDN?"][0]) == (
        "Thorlabs",
        "DC2200",
        "M00435922",
        "1.6.0",
    )
    assert _pm100d_wire.decode_number(talk["SOUR:CBR:BRIG?"][0]) == 25.0
    assert _pm100d_wire.decode_number(talk["OUTP:STAT?"][0]) == 1.0
    told, after = talk["SYST:ERR?"]
    with pytest.raises(RefusalError, match="-113: Undefined header"):
        _pm100d_wire.decode_error(told)
    assert _pm100d_wire.decode_error(after) == ""
