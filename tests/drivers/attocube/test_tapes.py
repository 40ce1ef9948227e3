"""What other projects' clients heard from the controllers, the codecs understand, too.

Recorded between PyMeasure 0.16.0 and the simulated ANC300, pylablib 1.4.5 and the simulated ANC350.
"""

import struct
from pathlib import Path

import pytest

from labctl.transport import RefusalError, read_tape
from labctl_drivers.attocube import _anc300_wire, _anc350_wire
from labctl_drivers.attocube._anc350_wire import Address

TAPES = Path(__file__).parent / "tapes"
_HEAD = struct.Struct("<IIIII")


def test_pymeasure_s_talk_with_the_anc300() -> None:
    heard: dict[str, list[str]] = {}
    (_, banner), (password, verdict), *pairs = read_tape(TAPES / "pymeasure_anc300.tape")
    assert password == b"123456\r\n"
    assert _anc300_wire.decode_login(banner + verdict)
    for sent, received in pairs:
        command = sent.decode("ascii").strip()
        if command == "stepu 1 5":
            with pytest.raises(RefusalError, match="Axis in wrong mode"):
                _anc300_wire.decoder(command, _anc300_wire.parse_nothing)(received)
            continue
        lines = _anc300_wire.decoder(command, list)(received)
        assert lines is not None, command
        heard[command] = lines
    assert _anc300_wire.parse_voltage_v(heard["getv 1"]) == 25.0
    assert _anc300_wire.parse_frequency_hz(heard["getf 1"]) == 200.0
    assert _anc300_wire.parse_voltage_v(heard["geto 3"]) == 12.0
    assert _anc300_wire.parse_mode(heard["getm 1"]) == "gnd"
    assert _anc300_wire.parse_serial(heard["getcser"]) == "ANC300B-C-1514-3006076"
    assert 100.0 < _anc300_wire.parse_capacitance_nf(heard["getc 2"]) < 1200.0
    assert heard["setm 1 stp"] == []


def telegrams(data: bytes) -> list[tuple[int, int, int, int]]:
    """Split what was sent: opcode, address, index, correlation."""
    found: list[tuple[int, int, int, int]] = []
    while data:
        length, *head = _HEAD.unpack_from(data)
        found.append((head[0], head[1], head[2], head[3]))
        data = data[4 + length :]
    return found


def test_pylablib_s_talk_with_the_anc350() -> None:
    values: dict[Address, int] = {}
    refused: list[Address] = []
    known = {int(address): address for address in Address}
    pairs = read_tape(TAPES / "pylablib_anc350.tape")
    heard = b"".join(received for _, received in pairs)
    for opcode, code, index, correlation in telegrams(b"".join(sent for sent, _ in pairs)):
        if code not in known or not correlation:
            continue
        try:
            value = _anc350_wire.decoder(known[code], index, correlation)(heard)
        except RefusalError:
            refused.append(known[code])
            continue
        assert value is not None
        if opcode == 1:
            values[known[code]] = value
    assert values[Address.AMPLITUDE_MV] == 30_000
    assert values[Address.SENSOR_MV] == 2000
    assert values[Address.HARDWARE_ID] == -1
    assert values[Address.POSITION_NM] == pytest.approx(50_000, abs=250)
    assert refused == [Address.AMPLITUDE_MV]
