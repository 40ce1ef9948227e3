"""The engine as a server: found by its user alone, told everything, obeyed, never waited for."""

import json
import os
import signal
import socket
import stat
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from labctl.channels import listen
from labctl.cli import app
from labctl.errors import ConfigError, LabctlError, RefusedError
from labctl.events import RunStopped, decode_event
from labctl.host.server import (
    EngineRequest,
    attach_to,
    place_of,
    serve_engine,
    token_in,
)
from labctl.host.server._rendezvous import Offer, call, offer, withdraw
from labctl.setup import load_setup
from labctl.storage import read_run
from served_engine import TOKEN, Hearer, attached, far, let_others_in, served, wait_for
from small_setup import Bench

RECIPE = """
name: two spectra
steps:
  - repeat:
      times: 2
      steps:
        - spectrum: {grating: 300/mm, center: 531 nm, exposure: 0.1 s, unlocked_sensor: true}
"""


APART = "isolate: true, simulate: {isolate: true}"


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> Generator[EngineRequest]:
    folder = tmp_path_factory.mktemp("engine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCTL_RUNTIME_DIR", str(folder / "runtime"))
        setup = let_others_in(Bench(folder).setup())
        text = setup.read_text("utf-8").replace("princeton.picam", f"princeton.picam, {APART}")
        setup.write_text(text, "utf-8")
        request = EngineRequest(setup=setup, simulate=True, speed=4.0, out=folder / "data")
        with served(request):
            yield request


@pytest.fixture
def window(request_: EngineRequest) -> Generator[Hearer]:
    with attached(request_) as hearer:
        yield hearer
        if hearer.status().get("task"):
            hearer.ask("look_end")
            wait_for(lambda: not hearer.status()["task"], "the engine to be idle")


def test_a_window_is_told_at_once_how_everything_stands(window: Hearer) -> None:
    wait_for(lambda: len(window.pictures) >= 5, "readings of all instruments")
    told = window.of("welcome")[0]
    assert told["engine"]["simulated"]
    assert told["engine"]["setup"] == "small set-up"
    cryostat = next(role for role in told["roles"] if role["name"] == "cryostat")
    assert cryostat["settables"]["temperature"]["high"] == 350.0
    spectrograph = next(role for role in told["roles"] if role["name"] == "spectrograph")
    # The unit at hand has no motorised slit, and two gratings.
    assert list(spectrograph["settables"]) == ["wavelength"]
    assert spectrograph["switches"]["grating"]["choices"] == ["300/mm", "1800/mm"]


def test_setting_and_reading_an_instrument(window: Hearer) -> None:
    window.ask("set", name="spectrograph", quantity="wavelength", value=531.0)

    def there() -> bool:
        head, _ = window.pictures.get("values/spectrograph", ({"values": {}}, {}))
        return abs(head["values"].get("read", {}).get("wavelength", 0.0) - 531.0) < 0.02

    wait_for(there, "the spectrograph to arrive")


def test_what_is_out_of_limits_is_refused_in_words(window: Hearer) -> None:
    with pytest.raises(LabctlError, match=r"temperature = 400 K is out of range"):
        window.ask("set", name="cryostat", quantity="temperature", value=400.0)
    with pytest.raises(LabctlError, match="not a number"):
        window.ask("set", name="cryostat", quantity="temperature", value=float("nan"))
    with pytest.raises(LabctlError, match="is no instrument of this set-up"):
        window.ask("set", name="nothing", quantity="temperature", value=4.0)
    with pytest.raises(LabctlError, match="the engine knows no verb 'dance'"):
        window.ask("dance")
    with pytest.raises(LabctlError, match="unexpected keyword"):
        window.ask("set", instrument="cryostat")


def test_a_live_view_is_shown_until_the_red_stop(window: Hearer) -> None:
    window.ask("look", kind="spectrum", settings={"exposure": "50 ms", "adc": "5 MHz"})
    _, arrays = wait_for(lambda: window.pictures.get("spectrum"), "a spectrum")
    assert arrays["counts"].shape == arrays["wavelength"].shape == (1600,)
    found = window.ask("stop_light")
    assert list(found) == ["shutter.close", "camera.em_gain_1", "camera.close", "lamp.off"]
    # On a busy computer the answers of the instruments may take longer than the order.
    assert all(word.startswith(("ok after", "waits")) for word in found.values())
    wait_for(lambda: window.status()["task"] == "", "the view to end")

    def closed() -> bool:
        head, _ = window.pictures["values/shutter"]
        return head["values"]["switches"] == {"shutter": "closed"}

    wait_for(closed, "the shutter to be closed")


def test_a_live_view_with_wrong_settings_is_refused(window: Hearer) -> None:
    with pytest.raises(LabctlError, match="exposure"):
        window.ask("look", kind="spectrum", settings={"exposure": "3 nm"})
    with pytest.raises(LabctlError, match="there is none of 'sound'"):
        window.ask("look", kind="sound", settings={})


def test_a_queued_recipe_is_carried_out_and_another_window_sees_the_same(
    window: Hearer, request_: EngineRequest, tmp_path: Path
) -> None:
    recipe = tmp_path / "two.yaml"
    recipe.write_text(RECIPE, "utf-8")
    window.ask("queue_add", recipe=str(recipe))
    with attached(request_) as other:

        def stopped(hearer: Hearer) -> RunStopped | None:
            events = [decode_event(head["event"]) for head in hearer.of("event")]
            return next((e for e in events if isinstance(e, RunStopped)), None)

        end = wait_for(lambda: stopped(window), "the run to end")
        wait_for(lambda: stopped(other), "the other window to be told")
        assert end.status == "complete"
    run = read_run(Path(end.product))
    assert run.data["spectrum"].sizes["point"] == 2
    _, arrays = wait_for(lambda: window.pictures.get("point/spectrum"), "the stored point")
    np.testing.assert_array_equal(arrays["counts"], run.data["spectrum"]["counts"].values[-1])
    with attached(request_) as late:
        wait_for(lambda: late.of("welcome"), "the welcome")
        assert late.of("welcome")[0]["run"]["state"] == "done"
        assert late.of("welcome")[0]["run"]["points"] == 2
        head, _ = wait_for(lambda: late.pictures.get("point/spectrum"), "the last point")
        assert head["index"] == 1


def test_a_wrong_recipe_is_refused_with_its_line(window: Hearer, tmp_path: Path) -> None:
    found = window.ask(
        "check", text="name: x\nsteps:\n  - spectrum: {exposure: 1 K}\n", path="a.yaml"
    )
    assert found["problems"][0]["where"].endswith("a.yaml:3")
    recipe = tmp_path / "wrong.yaml"
    recipe.write_text("name: x\nsteps: 3\n", "utf-8")
    with pytest.raises(LabctlError, match=r"wrong\.yaml"):
        window.ask("queue_add", recipe=str(recipe))
    plan = window.ask("check", text=RECIPE)
    assert plan["problems"] == []
    assert plan["points"] == 2
    assert plan["steps"] == ["spectrum", "spectrum"]


def test_a_second_engine_for_the_same_set_up_is_refused(request_: EngineRequest) -> None:
    place = place_of(request_.setup, simulate=True)
    with pytest.raises(RefusedError, match="has one already"):
        offer(place, Offer(1, "00", 0, str(request_.setup), True))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights than owner and mode")
def test_only_the_user_may_read_the_key(request_: EngineRequest) -> None:
    mode = place_of(request_.setup, simulate=True).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def library_processes(engine: int) -> list[int]:
    """Return the processes of libraries that an engine has started."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text("ascii").rpartition(")")[2].split()[1]
            if int(parent) == engine and b"isolated" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="asks the tables of Linux")
def test_a_library_that_crashes_while_nothing_goes_on_is_shown_and_made_good(
    window: Hearer, tmp_path: Path
) -> None:
    wait_for(lambda: "values/camera" in window.pictures, "the panel's first values")
    (library,) = library_processes(int(window.ask("snapshot")["engine"]["pid"]))
    os.kill(library, signal.SIGKILL)

    def told() -> str:
        return str(window.pictures["values/camera"][0]["values"]["error"])

    wait_for(lambda: "the library's process has crashed (SIGKILL)" in told(), "the panel to notice")
    recipe = tmp_path / "two.yaml"
    recipe.write_text(RECIPE, "utf-8")
    window.ask("queue_add", recipe=str(recipe))

    def ends() -> list[RunStopped]:
        events = [decode_event(head["event"]) for head in window.of("event")]
        return [event for event in events if isinstance(event, RunStopped)]

    assert wait_for(ends, "the run to end")[-1].status == "complete"
    wait_for(lambda: told() == "", "the camera to be there again")


# Windows of other computers


def test_a_window_with_the_token_sees_and_asks_as_one_of_this_computer(
    window: Hearer, request_: EngineRequest
) -> None:
    hearer = Hearer()
    hearer.client = attach_to(far(request_), hearer.told, hearer.gone.set)
    assert hearer.client is not None
    wait_for(lambda: hearer.of("welcome"), "the welcome")
    assert hearer.status()["setup"] == "small set-up"
    place = far(request_)
    assert hearer.ask("snapshot")["engine"]["listens"] == f"{place.host} port {place.port}"
    with pytest.raises(LabctlError, match="out of range"):
        hearer.ask("set", name="cryostat", quantity="temperature", value=400.0)
    assert any("is attached" in entry["text"] for entry in window.of("log"))
    hearer.client.close()


def test_a_window_with_another_token_stays_outside_and_that_is_told(
    window: Hearer, request_: EngineRequest
) -> None:
    hearer = Hearer()
    with pytest.raises(RefusedError, match="the engine refuses the token"):
        attach_to(far(request_, TOKEN[::-1]), hearer.told, hearer.gone.set)
    text = "a caller from 127.0.0.1 did not know the token, 1 so far"
    wait_for(lambda: [e for e in window.of("log") if e["text"] == text], "the warning")
    assert hearer.heads == []


def test_a_question_without_end_ends_the_line_and_nothing_else(
    window: Hearer, request_: EngineRequest
) -> None:
    with attached(request_) as other:
        assert other.client is not None
        other.client.ask("check", text="x" * 17_000_000)
        assert other.gone.wait(60.0)
    assert window.ask("check", text=RECIPE)["problems"] == []


def test_status_tells_how_an_engine_stands(request_: EngineRequest) -> None:
    place, token = far(request_), str(request_.setup.parent / "token")
    at = ["--engine", f"{place.host}:{place.port}", "--token-file", token]
    for which in (["--setup", str(request_.setup), "--simulate"], at):
        found = CliRunner().invoke(app, ["status", *which])
        assert found.exit_code == 0
        assert found.output.startswith(
            "small set-up: connected, simulated, idle\nlistens at 127.0."
        )
    found = CliRunner().invoke(app, ["status", "--setup", str(request_.setup)])
    assert (found.exit_code, found.output) == (1, f"no engine has {request_.setup}\n")


def test_the_token_is_written_nowhere(window: Hearer, request_: EngineRequest) -> None:
    for path in request_.setup.parent.rglob("*"):
        assert path.name == "token" or not path.is_file() or TOKEN.encode() not in path.read_bytes()
    snapshot = window.ask("snapshot")
    assert TOKEN not in json.dumps(snapshot)
    assert TOKEN not in request_.model_dump_json()
    assert TOKEN not in repr(far(request_))
    assert TOKEN not in json.dumps(load_setup(request_.setup).resolved())
    if sys.platform == "linux":
        pid = snapshot["engine"]["pid"]
        assert TOKEN.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_token_of_the_environment_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN_OF_THIS_TEST", f" {TOKEN}\n")
    assert token_in("A_TOKEN_OF_THIS_TEST", "") == TOKEN.encode()
    assert "A_TOKEN_OF_THIS_TEST" not in os.environ


def test_an_engine_whose_port_is_taken_says_so_before_it_connects_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABCTL_RUNTIME_DIR", str(tmp_path / "runtime"))
    setup = Bench(tmp_path).setup()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "token").write_text(TOKEN, "utf-8")
        (tmp_path / "token").chmod(0o600)
        text = setup.read_text("utf-8") + f"listen:\n  port: {port}\n  token_file: token\n"
        setup.write_text(text, "utf-8")
        request = EngineRequest(setup=setup, simulate=True)
        told = rf"setup\.yaml:\d+: listen: 127\.0\.0\.1 port {port} cannot be listened on: "
        with pytest.raises(ConfigError, match=told):
            serve_engine(request)
    assert not list(tmp_path.rglob("engine_*.json"))


def test_the_file_of_a_dead_engine_is_taken_over(tmp_path: Path) -> None:
    listener, port = listen(b"gone")
    listener.close()
    place = tmp_path / "engine.json"
    dead, mine = Offer(port, "00", 1, "a", False), Offer(port, "01", os.getpid(), "a", False)
    offer(place, dead)
    assert call(place) is None
    offer(place, mine)
    assert json.loads(place.read_text("utf-8"))["key"] == "01"
    withdraw(place, dead)
    assert place.exists()
    withdraw(place, mine)
    assert not place.exists()
