"""The counter driver: which library calls it makes, and what it says when they fail."""

import ctypes
from typing import Any

import pytest
from pydantic import ValidationError

from labctl.clock import VirtualClock
from labctl.errors import ConnectionLostError, DeviceRefusedError, RefusedError
from labctl.roles import Identity
from labctl.transport import FlightRecorder, LibraryLink
from labctl_drivers.ni.counter import NiCounter, NiCounterSettings

SETTINGS: dict[str, Any] = {"device": "Dev3", "inputs": {0: "PFI8", 2: ""}}
SINGLE = {"simulator": "ni.counter", "settings": {"device": "Dev3"}}
WIRED = {
    "simulator": "detectors.pdm",
    "settings": {"counter": "card", "counter_channel": 2},
    "truth": {"light_path": "direct"},
}


def driver(link: LibraryLink, **changes: Any) -> NiCounter:
    settings = NiCounterSettings.model_validate({**SETTINGS, **changes})
    return NiCounter("card", link, settings, {})


def test_every_call_of_a_life(bench: Any) -> None:
    rig = bench(card=SINGLE)
    recorder = FlightRecorder(VirtualClock())
    card = driver(LibraryLink(rig.rig.library("card"), recorder.library_log("card")))
    assert card.connect() == Identity("National Instruments", "PCIe-6323", "01A2B3C4")
    assert card.read_counts(0) == 0
    card.close()
    card.close()
    assert [entry["called"].removeprefix("DAQmx") for entry in recorder.dump("card")] == [
        *("CreateTask", "CreateCICountEdgesChan", "SetCICountEdgesTerm", "StartTask"),
        *("CreateTask", "CreateCICountEdgesChan", "StartTask"),
        *("GetDevProductType", "GetDevSerialNum", "ReadCounterScalarU32"),
        *("StopTask", "ClearTask", "StopTask", "ClearTask"),
    ]


def test_it_tells_the_rate_of_a_detector(bench: Any) -> None:
    rig = bench(card=SINGLE, apd=WIRED)
    card = driver(LibraryLink(rig.rig.library("card")))
    card.attach(rig.clock.now)
    card.connect()
    world = rig.rig.world
    with pytest.raises(RefusedError, match="no rate yet"):
        card.count_rate_hz(2)
    rig.clock.sleep(2.0)
    lit_hz = card.count_rate_hz(2)
    assert card.count_rate_hz(0) == 0.0
    world.table.shutter_open = False
    rig.clock.sleep(0.1)
    card.count_rate_hz(2)
    rig.clock.sleep(4.0)
    # 200 dark counts are due, standard deviation 14.
    assert card.count_rate_hz(2) == pytest.approx(50.0, abs=18.0)
    assert lit_hz > 1000.0
    found = card.snapshot()
    assert (found["device"], found["edge"]) == ("Dev3", "rising")
    assert found["inputs"] == {"0": "PFI8", "2": ""}
    assert found["counts"]["0"] == 0
    assert found["counts"]["2"] > 1000
    card.close()


def test_a_refusal_carries_the_words_of_the_library_and_leaves_no_task(bench: Any) -> None:
    rig = bench(card=SINGLE)
    library: Any = rig.rig.library("card")
    card = driver(LibraryLink(library), inputs={0: "", 7: ""})
    with pytest.raises(DeviceRefusedError, match=r"-200170: Physical channel .* does not exist"):
        card.connect()
    driver(LibraryLink(library)).connect()
    other = driver(LibraryLink(library), device="Dev4")
    with pytest.raises(ConnectionLostError, match="-200220"):
        other.connect()
    task = ctypes.c_void_p(2)
    assert library.DAQmxClearTask(task) == -200088


def test_a_card_that_goes_away(bench: Any) -> None:
    rig = bench(card=SINGLE)
    card = driver(LibraryLink(rig.rig.library("card")))
    card.connect()
    rig.rig.inject("card", "unplug")
    with pytest.raises(ConnectionLostError, match="Device identifier is invalid"):
        card.read_counts(0)
    card.close()
    with pytest.raises(RefusedError, match="not connected"):
        card.read_counts(0)


def test_without_the_vendor_s_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name} not found")

    for loader in ("CDLL", "WinDLL"):
        monkeypatch.setattr(ctypes, loader, missing, raising=False)
    with pytest.raises(RefusedError, match="install NI-DAQmx"):
        driver(LibraryLink()).connect()


@pytest.mark.parametrize(
    "changes", [{"device": "Dev 1"}, {"inputs": {}}, {"inputs": {-1: ""}}, {"edge": "both"}]
)
def test_nonsense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        driver(LibraryLink(), **changes)
