"""Set-up files with a mistake each, and the exact words that the user reads."""

import socket
from pathlib import Path

import pytest

from labctl.errors import ConfigError
from labctl.roles import Instrument
from labctl.setup import load_setup

GOOD = """\
schema_version: 1
name: test bench
laser: {wavelength: 405 nm, rep_rate: 10 MHz, spot_1e2_diameter: 2.4 um}
instruments:
  cryostat:
    driver: montana.cryostation
    address: TCPIP::cryostation.example::7773::SOCKET
    limits: {temperature: [3.2 K, 320 K]}
    simulate: {truth: {base_temperature: 3.4 K}}
  spectrograph:
    driver: princeton.spectrapro
    address: ASRL4::INSTR
    gratings: {1: 300/mm, 2: 1800/mm}
  camera:
    driver: princeton.picam
  shutter:
    driver: thorlabs.sc10
    address: ASRL5::INSTR
  lamp: {driver: manual.lamp}
paths: {camera: {spectrograph.exit: front}}
safe_state: [shutter.close, camera.close]
monitors: [{read: cryostat.temperature, every: 5 s}]
sample: sample.yaml
"""

SAMPLE = """\
schema_version: 1
name: test sample
composition: CsPbBr3
dots:
  A1: {edge_length: 23 nm, lifetime: 100 ps}
"""

Change = tuple[str, str]


def written(folder: Path, *changes: Change, sample: str = SAMPLE) -> Path:
    """Write the good set-up with the changes made, and its sample; returns the set-up."""
    text = GOOD
    for old, new in changes:
        if old not in text:
            message = f"{old!r} is not in the good set-up"
            raise ValueError(message)
        text = text.replace(old, new)
    path = folder / "setup.yaml"
    path.write_text(text, encoding="utf-8")
    (folder / "sample.yaml").write_text(sample, encoding="utf-8")
    return path


BAD: dict[str, tuple[list[Change], list[str]]] = {
    "unknown key": (
        [("name: test bench", "name: x\nmonitor: []")],
        ["setup.yaml:3: unknown key 'monitor' (did you mean 'monitors'?)"],
    ),
    "unknown key in block": (
        [("every: 5 s", "every: 5 s, evry: 1 s")],
        [
            (
                "setup.yaml:22: unknown key 'monitors[0].evry' (did you mean 'every'? "
                "keys: every, read)"
            )
        ],
    ),
    "unknown key of a driver": (
        [("    gratings:", "    grating:")],
        [
            (
                "setup.yaml:13: unknown key 'spectrograph.grating' (did you mean "
                "'gratings'? keys: address, case, driver, echo, gratings, limits, "
                "reply_timeout, simulate)"
            )
        ],
    ),
    "misspelt common key": (
        [("    address: ASRL4", "    adress: ASRL4")],
        [
            (
                "setup.yaml:10: spectrograph: the address is missing (write it like "
                "'TCPIP::host.example::7773::SOCKET' or 'ASRL4::INSTR')"
            ),
            (
                "setup.yaml:12: unknown key 'spectrograph.adress' (did you mean "
                "'address'? keys: address, case, driver, echo, gratings, limits, "
                "reply_timeout, simulate)"
            ),
        ],
    ),
    "missing key": (
        [("name: test bench\n", "")],
        ["setup.yaml:1: 'name' is missing (like 'name: cryogenic µ-PL')"],
    ),
    "missing key in block": (
        [(", every: 5 s", "")],
        ["setup.yaml:22: 'monitors[0].every' is missing (like 'every: 5 s')"],
    ),
    "missing driver key": (
        [("driver: manual.lamp", "address: x")],
        [
            (
                "setup.yaml:19: 'instruments.lamp.driver' is missing (like 'driver: "
                "montana.cryostation')"
            )
        ],
    ),
    "no instruments": (
        [("instruments:", "instruments: {}\nx:")],
        [
            "setup.yaml:4: instruments: must not be empty",
            (
                "setup.yaml:5: unknown key 'x' (keys: calibrations, data_root, "
                "instruments, interlocks, laser, monitors, name, paths, rules, "
                "safe_state, sample, schema_version, simulate, user)"
            ),
            (
                "setup.yaml:21: 'spectrograph.exit' names no instrument of this set-up "
                "(instruments: none)"
            ),
            (
                "setup.yaml:22: 'shutter.close' names no instrument of this set-up "
                "(instruments: none)"
            ),
            (
                "setup.yaml:22: 'camera.close' names no instrument of this set-up "
                "(instruments: none)"
            ),
            (
                "setup.yaml:23: 'cryostat.temperature' names no instrument of this "
                "set-up (instruments: none)"
            ),
        ],
    ),
    "wrong dimension": (
        [("rep_rate: 10 MHz", "rep_rate: 10 nm")],
        [("setup.yaml:3: laser.rep_rate: '10 nm' is not a quantity in Hz (write it like '1 Hz')")],
    ),
    "missing unit": (
        [("wavelength: 405 nm", "wavelength: 405")],
        ["setup.yaml:3: laser.wavelength: 405 has no unit (write '405 nm')"],
    ),
    "not a quantity": (
        [("wavelength: 405 nm", "wavelength: violet")],
        [
            (
                "setup.yaml:3: laser.wavelength: 'violet' is not a quantity (write a "
                "number and a unit, like '4 K')"
            )
        ],
    ),
    "not positive": (
        [("every: 5 s", "every: -5 s")],
        ["setup.yaml:22: monitors[0].every: '-5 s' must be greater than 0"],
    ),
    "not finite": (
        [("every: 5 s", "every: inf s")],
        ["setup.yaml:22: monitors[0].every: 'inf s' is not a finite number"],
    ),
    "grating in the wrong unit": (
        [("2: 1800/mm", "2: 1800 nm")],
        [
            (
                "setup.yaml:13: spectrograph.gratings[2]: '1800 nm' is not a quantity "
                "in 1/mm (write it like '1 1/mm')"
            )
        ],
    ),
    "not allowed": (
        [("    gratings:", "    echo: yes\n    gratings:")],
        [("setup.yaml:13: spectrograph.echo: 'yes' is not possible (use 'auto', 'on' or 'off')")],
    ),
    "unknown driver": (
        [("driver: montana.cryostation", "driver: montana.cryostaton")],
        [
            (
                "setup.yaml:6: cryostat: there is no driver 'montana.cryostaton' (did "
                "you mean 'montana.cryostation'? installed: manual.lamp, "
                "montana.cryostation, montana.s_series, princeton.picam, "
                "princeton.spectrapro, thorlabs.sc10)"
            )
        ],
    ),
    "unknown simulator": (
        [("simulate: {truth", "simulate: {simulator: montana.cryo, truth")],
        [
            (
                "setup.yaml:9: cryostat: there is no simulator 'montana.cryo' (did you "
                "mean 'montana.cryostation'? installed: manual.lamp, "
                "montana.cryostation, montana.s_series, princeton.picam, "
                "princeton.spectrapro, thorlabs.sc10)"
            )
        ],
    ),
    "foreign simulator": (
        [("simulate: {truth", "simulate: {simulator: montana.s_series, truth")],
        [
            (
                "setup.yaml:9: cryostat: the simulator 'montana.s_series' speaks "
                "'http', the driver 'montana.cryostation' 'stream' (leave the key out)"
            )
        ],
    ),
    "unknown truth": (
        [("base_temperature", "base_temprature")],
        [
            (
                "setup.yaml:9: cryostat: the simulator has no truth 'base_temprature' "
                "(did you mean 'base_temperature'?)"
            )
        ],
    ),
    "truth of the wrong dimension": (
        [("base_temperature: 3.4 K", "base_temperature: 3.4 W")],
        [
            (
                "setup.yaml:9: cryostat: base_temperature: '3.4 W' is not a quantity in "
                "K (write it like '1 K')"
            )
        ],
    ),
    "truth without unit": (
        [("base_temperature: 3.4 K", "base_temperature: 3.4")],
        ["setup.yaml:9: cryostat: base_temperature: 3.4 has no unit (write '3.4 K')"],
    ),
    "truth that is a switch": (
        [("base_temperature: 3.4 K", "decimal_comma: 1")],
        ["setup.yaml:9: cryostat: decimal_comma: 1 must be true or false"],
    ),
    "address missing": (
        [("    address: ASRL4::INSTR\n", "")],
        [
            (
                "setup.yaml:10: spectrograph: the address is missing (write it like "
                "'TCPIP::host.example::7773::SOCKET' or 'ASRL4::INSTR')"
            )
        ],
    ),
    "address of the wrong kind": (
        [("ASRL4::INSTR", "COM4")],
        [
            (
                "setup.yaml:12: spectrograph: 'COM4' is not an address (write it like "
                "'TCPIP::host.example::7773::SOCKET' or 'ASRL4::INSTR')"
            )
        ],
    ),
    "address by hand": (
        [("{driver: manual.lamp}", "{driver: manual.lamp, address: A}")],
        ["setup.yaml:19: lamp: is worked by hand and has no address (remove the key)"],
    ),
    "one address twice": (
        [("ASRL5::INSTR", "asrl4")],
        [
            (
                "setup.yaml:18: spectrograph and shutter both have the address 'asrl4' "
                "(one connection belongs to one instrument)"
            )
        ],
    ),
    "two cameras": (
        [("  lamp:", "  camera_2: {driver: princeton.picam}\n  lamp:")],
        [
            (
                "setup.yaml:19: camera and camera_2 both have no address (one "
                "connection belongs to one instrument)"
            )
        ],
    ),
    "limits swapped": (
        [("[3.2 K, 320 K]", "[320 K, 3.2 K]")],
        [
            (
                "setup.yaml:8: cryostat: limits of temperature: 320 K is more than 3.2 "
                "K (write the lower one first)"
            )
        ],
    ),
    "limits beyond the instrument": (
        [("[3.2 K, 320 K]", "[3.2 K, 500 K]")],
        [
            (
                "setup.yaml:8: cryostat: limits of temperature: 3.2 to 500 K cannot be "
                "reached (the instrument can do 2 to 350 K)"
            )
        ],
    ),
    "limits without unit": (
        [("[3.2 K, 320 K]", "[3.2, 320]")],
        ["setup.yaml:8: cryostat: limits of temperature: 3.2 has no unit (write '3.2 K')"],
    ),
    "limits of one value": (
        [("[3.2 K, 320 K]", "[3.2 K]")],
        ["setup.yaml:8: instruments.cryostat.limits.temperature: value 2 is missing"],
    ),
    "limits of nothing": (
        [("{temperature: [", "{temprature: [")],
        [
            (
                "setup.yaml:8: cryostat: there is no settable 'temprature' to limit "
                "(did you mean 'temperature'? settables: temperature)"
            )
        ],
    ),
    "safe state: instrument": (
        [("camera.close]", "laser.off]")],
        [
            (
                "setup.yaml:21: 'laser.off' names no instrument of this set-up "
                "(instruments: camera, cryostat, lamp, shutter, spectrograph)"
            )
        ],
    ),
    "safe state: action": (
        [("shutter.close", "shutter.shut")],
        ["setup.yaml:21: shutter has no safe action 'shut' (safe actions: close)"],
    ),
    "safe state: form": (
        [("shutter.close", "shutter")],
        [
            (
                "setup.yaml:21: safe_state[0]: 'shutter' does not name a part of an "
                "instrument (write it like 'shutter.close')"
            )
        ],
    ),
    "monitor: reading": (
        [("read: cryostat.temperature", "read: cryostat.pressure")],
        [
            (
                "setup.yaml:22: cryostat has no reading 'pressure' (readings: "
                "platform_temperature, stability, temperature)"
            )
        ],
    ),
    "interlock: condition": (
        [("sample: ", "interlocks: [{watch: cryostat.temperature, do: abort}]\nsample: ")],
        [
            (
                "setup.yaml:23: interlocks[0]: needs exactly one condition (use above, "
                "below, band, stale or alarm)"
            )
        ],
    ),
    "interlock: unit": (
        [
            (
                "sample: ",
                "interlocks: [{watch: cryostat.temperature, above: 5 nm, do: abort}]\nsample: ",
            )
        ],
        [
            (
                "setup.yaml:23: interlocks[0].above: '5 nm' is not a quantity in K "
                "(write it like '1 K')"
            )
        ],
    ),
    "interlock: action": (
        [
            (
                "sample: ",
                "interlocks: [{watch: cryostat.temperature, above: 5 K, do: stop}]\nsample: ",
            )
        ],
        [
            (
                "setup.yaml:23: interlocks[0].do: 'stop' is not possible (use "
                "'close_light', 'suspend' or 'abort')"
            )
        ],
    ),
    "rule: settable": (
        [
            (
                "sample: ",
                (
                    "rules: [{limit: camera.x, to: [0 V, 1 V], when: cryostat.temperature, "
                    "above: 5 K}]\nsample: "
                ),
            )
        ],
        ["setup.yaml:23: camera has no settable 'x' (settables: none)"],
    ),
    "path: instrument": (
        [("spectrograph.exit: front", "flip: in")],
        [
            (
                "setup.yaml:20: 'flip' names no instrument of this set-up (instruments: "
                "camera, cryostat, lamp, shutter, spectrograph)"
            )
        ],
    ),
    "path: position": (
        [("exit: front", "exit: back")],
        ["setup.yaml:20: spectrograph.exit has no position 'back' (use front or side)"],
    ),
    "path: part": (
        [("spectrograph.exit", "spectrograph.slit")],
        [
            (
                "setup.yaml:20: 'spectrograph.slit' is nothing that a light path can "
                "set (did you mean 'spectrograph.exit'? possible: spectrograph.exit)"
            )
        ],
    ),
    "calibration outside": (
        [("sample: ", "calibrations: {wavelength: {file: ../x.json}}\nsample: ")],
        [
            (
                "setup.yaml:23: calibrations.wavelength.file: '../x.json' leaves the "
                "data folder (name a file below data_root)"
            )
        ],
    ),
    "sample missing": (
        [("sample: sample.yaml", "sample: nothing.yaml")],
        [
            (
                "setup.yaml:23: there is no sample file 'nothing.yaml' (a relative name "
                "is looked for beside the set-up file, then in the present folder)"
            )
        ],
    ),
    "name twice": (
        [("name: test bench", "name: a\nname: b")],
        ["setup.yaml:3: 'name' is given twice (the first is in line 2)"],
    ),
    "tab": (
        [("  camera:\n", "\tcamera:\n")],
        [
            (
                "setup.yaml:14: is not YAML: found character '\\t' that cannot start any "
                "token (indent with spaces, not with tabs)"
            )
        ],
    ),
    "colon": (
        [("name: test bench", "name: test: bench")],
        [
            (
                "setup.yaml:2: is not YAML: mapping values are not allowed here (text "
                "that holds ': ' must stand in quotes)"
            )
        ],
    ),
    "unclosed": (
        [("[shutter.close, camera.close]", "[shutter.close, camera.close")],
        [
            (
                "setup.yaml:22: is not YAML: expected ',' or ']', but got ':' (look at "
                "brackets, quotes and indentation in this line and the one before)"
            )
        ],
    ),
    "code": (
        [("name: test bench", "name: !!python/object:os.system x")],
        [
            (
                "setup.yaml:2: tags such as '!!python/object:os.system' are not allowed "
                "(files hold plain data only)"
            )
        ],
    ),
    "not a block": (
        [("monitors: [{read", "monitors: [5, {read")],
        ["setup.yaml:22: monitors[0]: 5 must be a block of keys"],
    ),
    "instrument name": (
        [("  lamp:", "  Lamp 1:")],
        [
            (
                "setup.yaml:19: instruments.Lamp 1: 'Lamp 1' is no name (use small "
                "letters, digits and _, like 'camera_2')"
            )
        ],
    ),
    "instrument is no block": (
        [("{driver: manual.lamp}", "manual.lamp")],
        ["setup.yaml:19: instruments.lamp: 'manual.lamp' must be a block of keys"],
    ),
}


@pytest.fixture(autouse=True)
def no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, and fail as soon as an instrument is made or a socket is used."""

    def refuse(*_: object, **__: object) -> None:
        message = "a check touched a device"
        raise RuntimeError(message)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Instrument, "__init__", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "bind", refuse)


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_setup(path)
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize("name", BAD)
def test_every_mistake_is_told_in_exact_words(name: str) -> None:
    changes, expected = BAD[name]
    assert problems_of(written(Path(), *changes)) == expected


def test_the_good_setup_is_good() -> None:
    assert load_setup(written(Path())).name == "test bench"


def test_mistakes_everywhere_are_told_together_in_the_order_of_the_file() -> None:
    sample = SAMPLE.replace("edge_length: 23 nm", "edge_length: 23 K")
    path = written(
        Path(),
        ("wavelength: 405 nm", "wavelength: 405"),
        ("montana.cryostation\n", "montana.cryostaton\n"),
        ("ASRL5::INSTR", "ASRL4::INSTR"),
        ("shutter.close", "shutter.shut"),
        ("every: 5 s", "evry: 5 s"),
        sample=sample,
    )
    found = problems_of(path)
    assert [text.partition(": ")[0] for text in found] == [
        "setup.yaml:3",
        "setup.yaml:6",
        "setup.yaml:18",
        "setup.yaml:21",
        "setup.yaml:22",
        "setup.yaml:22",
        "sample.yaml:5",
    ]
    assert "23 K" in found[-1]


def test_a_sample_that_is_no_yaml_does_not_hide_the_mistakes_of_the_setup() -> None:
    path = written(Path(), ("wavelength: 405 nm", "wavelength: 405"), sample="a: [")
    found = problems_of(path)
    assert len(found) == 2
    assert found[1].startswith("sample.yaml:1: is not YAML")
