"""The simulated set-up as a service: addresses told, faults taken, ended in order."""

import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labctl.cli import _control, app
from labctl.cli._sim import translator
from labctl.errors import LabctlError
from labctl.setup import load_setup

SETUP = load_setup(Path(__file__).parents[3] / "configs" / "setups" / "microscope.yaml")


class FakeRig:
    """Notes the faults; knows one instrument and one kind."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, str, dict[str, Any]]] = []

    def inject(self, instrument: str, kind: str, **parameters: Any) -> None:
        if instrument != "cryostat":
            message = f"no instrument {instrument!r}"
            raise KeyError(message)
        self.faults.append((instrument, kind, parameters))


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "state" / "served.json"
    monkeypatch.setattr(_control, "_place", lambda: path)
    return path


def test_faults_reach_the_set_up_that_is_served(state: Path) -> None:
    rig: Any = FakeRig()
    with _control.listening(rig, translator(SETUP)):
        assert state.exists()
        result = CliRunner().invoke(
            app, ["sim", "fault", "cryostat", "late", "--set", "delay=2.5s", "--set", "times=3"]
        )
        assert result.exit_code == 0, result.stderr
        refused = CliRunner().invoke(app, ["sim", "fault", "laser", "late"])
        assert refused.exit_code == 1
        assert "no instrument 'laser'" in refused.stderr
    assert rig.faults == [("cryostat", "late", {"delay_s": 2.5, "times": 3})]
    assert not state.exists()
    assert not [t for t in threading.enumerate() if t.name.startswith("labctl-sim")]


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        ("late", "delay=3 K", "delay: '3 K' is not a quantity in s"),
        ("late", "delay=3", "delay: 3 has no unit (write '3 s')"),
        ("hang", "fro=3 s", "the fault 'hang' has no parameter 'fro' (did you mean 'for'?"),
        ("hang", "for", "is no parameter; write key=value"),
    ],
)
def test_parameters_are_those_of_the_set_up_file(kind: str, given: str, told: str) -> None:
    rig: Any = FakeRig()
    with _control.listening(rig, translator(SETUP)):
        right = CliRunner().invoke(app, ["sim", "fault", "cryostat", "hang", "--set", "for=3s"])
        wrong = CliRunner().invoke(app, ["sim", "fault", "cryostat", kind, "--set", given])
    assert right.exit_code == 0
    assert wrong.exit_code in (1, 2)
    assert told in " ".join(wrong.stderr.replace("│", " ").split())
    assert rig.faults == [("cryostat", "hang", {"for_s": 3.0})]


def test_without_a_set_up_that_is_served() -> None:
    with pytest.raises(LabctlError, match="labctl sim serve"):
        _control.inject("cryostat", "late", {})


def test_a_file_left_behind_by_a_killed_server(state: Path) -> None:
    state.parent.mkdir()
    state.write_text('{"port": 9, "key": "00", "pid": 0}')
    with pytest.raises(LabctlError, match="labctl sim serve"):
        _control.inject("cryostat", "late", {})


def test_a_stranger_does_not_stop_the_control_line(state: Path) -> None:
    rig: Any = FakeRig()
    with _control.listening(rig, translator(SETUP)):
        right = state.read_text()
        state.write_text(right.replace('"key": "', '"key": "ff'))
        with pytest.raises(LabctlError):
            _control.inject("cryostat", "late", {})
        state.write_text(right)
        _control.inject("cryostat", "hang", {})
    assert rig.faults == [("cryostat", "hang", {})]
