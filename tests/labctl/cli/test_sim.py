"""The simulated set-up as a service: addresses told, faults taken, ended in order."""

import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labctl.cli import _control, app
from labctl.errors import LabctlError


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
    with _control.listening(rig):
        assert state.exists()
        result = CliRunner().invoke(
            app, ["sim", "fault", "cryostat", "late", "--set", "by_s=2.5", "--set", "times=3"]
        )
        assert result.exit_code == 0, result.stderr
        refused = CliRunner().invoke(app, ["sim", "fault", "laser", "late"])
        assert refused.exit_code == 1
        assert "no instrument 'laser'" in refused.stderr
    assert rig.faults == [("cryostat", "late", {"by_s": 2.5, "times": 3})]
    assert not state.exists()
    assert not [t for t in threading.enumerate() if t.name.startswith("labctl-sim")]


def test_parameters_may_be_written_with_their_unit() -> None:
    rig: Any = FakeRig()
    with _control.listening(rig):
        command = ["sim", "fault", "cryostat", "late", "--set"]
        assert CliRunner().invoke(app, [*command, "delay_s=500 ms"]).exit_code == 0
        wrong = CliRunner().invoke(app, [*command, "delay_s=3 K"])
        assert wrong.exit_code == 2
    assert rig.faults == [("cryostat", "late", {"delay_s": 0.5})]


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
    with _control.listening(rig):
        right = state.read_text()
        state.write_text(right.replace('"key": "', '"key": "ff'))
        with pytest.raises(LabctlError):
            _control.inject("cryostat", "late", {})
        state.write_text(right)
        _control.inject("cryostat", "hang", {})
    assert rig.faults == [("cryostat", "hang", {})]
