"""The client of the specification attaches with nothing of ours, and is told what the page says."""

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from labctl.host.server import EngineRequest, place_of
from served_engine import ROOT, served
from small_setup import Bench

PAGE = ROOT / "docs" / "spec" / "engine_channel.md"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCTL_RUNTIME_DIR", str(folder / "runtime"))
        request = EngineRequest(setup=Bench(folder).setup(), simulate=True, out=folder / "data")
        with served(request):
            yield place_of(request.setup, simulate=True)


@pytest.fixture(scope="module")
def client() -> dict[str, Any]:
    found = re.search(r"<!-- client: begin -->\n```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found.group(1), names)
    return names


def test_the_client_of_the_page_is_welcomed_asks_and_is_shown(
    place: Path, client: dict[str, Any]
) -> None:
    with client["call"](place) as line:
        said = client["packets"](line)
        head, arrays = next(said)
        assert (head["kind"], arrays) == ("welcome", {})
        assert set(head) == {
            "kind",
            "engine",
            "roles",
            "run",
            "started",
            "log",
            "traces",
            "now_s",
            "display_dropped",
        }
        client["ask"](line, 7, "set", name="cryostat", quantity="temperature", value=400.0)
        client["ask"](line, 8, "dance")
        answers = {head["ask"]: head["error"] for head, _ in _until(said, "answer", 2)}
        assert "out of range" in answers[7]
        assert "no verb 'dance'" in answers[8]
        settings = {"exposure": "50 ms", "adc": "5 MHz"}
        client["ask"](line, 9, "look", kind="spectrum", settings=settings)
        shown = next(
            arrays
            for head, arrays in said
            if head["kind"] == "live" and head["topic"] == "spectrum"
        )
        dtype, shape, raw = shown["counts"]
        assert (dtype[0], shape) == ("<", [1600])
        assert len(raw) == 1600 * int(dtype[2:])
        client["ask"](line, 10, "look_end")
        assert next(head for head, _ in said if head.get("ask") == 10)["value"] is None


def test_every_verb_of_the_page_is_known_and_no_other(place: Path, client: dict[str, Any]) -> None:
    table = PAGE.read_text("utf-8").split("| verb |")[1].split("\n\n")[0]
    verbs = re.findall(r"^\| `(\w+)` \|", table, re.M)
    assert len(verbs) == 16
    with client["call"](place) as line:
        said = client["packets"](line)
        # A wrong argument shows that a verb is known, and does nothing.
        for number, verb in enumerate(verbs):
            client["ask"](line, number, verb, nonsense=1)
        errors = {h["ask"]: h.get("error", "") for h, _ in _until(said, "answer", len(verbs))}
    assert all("unexpected keyword" in error for error in errors.values()), errors


def _until(said: Any, kind: str, number: int) -> list[Any]:
    found: list[Any] = []
    for head, arrays in said:
        if head["kind"] == kind:
            found.append((head, arrays))
            if len(found) == number:
                break
    return found
