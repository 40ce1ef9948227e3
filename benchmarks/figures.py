"""What was measured, as figures beside the targets of the project."""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.contest import ROOT
from benchmarks.measure import CASES, PAYLOADS, Rounds
from benchmarks.overhead import overhead
from benchmarks.reaction import reactions
from benchmarks.report import Figure

_NAMES = {"bluesky": "Bluesky", "qcodes": "QCoDeS", "pymeasure": "PyMeasure"}
_SYNCED = {
    "bluesky": ("scan, HDF5 synced", "scan, lean writer synced"),
    "qcodes": ("add_result synced",),
    "pymeasure": ("rows synced",),
}


_REFERENCE_MS = {"float": 1.16, "spectrum": 1.24}
"""Bluesky 1.15.1, scan with trigger, no writer, on the machine for which the target was set."""


def overhead_figures(found: Rounds, folder: Path, points: int) -> list[Figure]:
    """Return what engine and journal cost over a bare loop, and whether long runs stay flat."""
    figures: list[Figure] = []
    for payload in PAYLOADS:
        turns, slower = found.flat[payload], slowness(found, payload)
        name = f"  this machine over the reference, {payload}"
        figures += [
            Figure(name, slower, "x"),
            *_overhead(f"overhead, {payload}", turns.overhead(), slower),
            Figure(f"  in CPU time, {payload}", turns.cpu_overhead(), "ms"),
            Figure(f"  bare loop, {payload}", turns.bare(), "ms"),
            Figure(f"  nested over flat, {payload}", _nested(found, payload), "x", "<= 1.1"),
        ]
        figures += _long(payload, folder, points, slower)
    return figures


def slowness(found: Rounds, payload: str) -> float:
    """Return how many times slower this machine is than the reference, by Bluesky's scan."""
    return median(found.times["bluesky", "scan, no writer", payload]) / _REFERENCE_MS[payload]


def _overhead(name: str, value_ms: float, slower: float) -> list[Figure]:
    return [
        Figure(name, value_ms, "ms", "<= 0.1"),
        Figure(f"  over the machine's slowness: {name.strip()}", value_ms / slower, "ms", "<= 0.1"),
    ]


def _nested(found: Rounds, payload: str) -> float:
    return _ratio(found, ("labctl", "nested"), ("labctl", "synced"), payload)


def _long(payload: str, folder: Path, points: int, slower: float) -> list[Figure]:
    figures: list[Figure] = []
    for synced in (False, True):
        how = "" if synced else ", not synced"
        print(f"long run of {points} points, {payload}{how}", flush=True)
        turn = max(points // 200, 1)
        turns = overhead(payload, points, folder, turn=turn, synced=synced)
        target = "" if synced else "<= 1.1"
        figures += [
            *_overhead(f"  {points} points{how}, {payload}", turns.overhead(), slower),
            Figure(f"    last tenth over first{how}, {payload}", turns.drift(), "x", target),
        ]
    return figures


def contest_figures(found: Rounds) -> list[Figure]:
    """Return how many times more others need than labctl, per point."""
    figures: list[Figure] = []
    for payload in PAYLOADS:
        alone, synced = ("labctl", "alone"), ("labctl", "synced")
        figures.append(_time(found, *alone, payload, "engine alone"))
        bare = _ratio(found, ("bluesky", "scan, no writer"), alone, payload)
        figures.append(Figure(f"  Bluesky, no writer, over it, {payload}", bare, "x", ">= 5"))
        figures.append(_time(found, *synced, payload, "on the disk at every point"))
        target = "> 1" if payload == "spectrum" else ""
        for program, cases in _SYNCED.items():
            ratio = min(_ratio(found, (program, case), synced, payload) for case in cases)
            name = f"  {_NAMES[program]} likewise over it, {payload}"
            figures.append(Figure(name, ratio, "x", target))
        for program, cases in CASES.items():
            figures += [
                _time(found, program, case, payload, f"  {_NAMES[program]}, {case}")
                for case in cases
            ]
    return figures


def _time(found: Rounds, program: str, case: str, payload: str, name: str) -> Figure:
    return Figure(f"{name}, {payload}", median(found.times[program, case, payload]), "ms")


def _ratio(found: Rounds, upper: tuple[str, str], lower: tuple[str, str], payload: str) -> float:
    # Round by round, because what else the machine does concerns both numbers of a round.
    pairs = zip(found.times[*upper, payload], found.times[*lower, payload], strict=True)
    return median(a / b for a, b in pairs)


def lone_figures(folder: Path, count: int) -> list[Figure]:
    """Return reaction times, memory, demo and compile time."""
    print("reactions, memory, demo, compile time", flush=True)
    seconds = reactions(count)
    demo = _child(["benchmarks.demo", str(folder)])
    cold = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "numba")}
    return [
        Figure("pause is seen within", max(seconds["pause"]), "s", "<= 0.2"),
        Figure("abort is seen within", max(seconds["abort"]), "s", "<= 0.2"),
        *[_memory(payload, folder) for payload in PAYLOADS],
        Figure("lab time over wall time of the demo's run", demo["lab_s"] / demo["wall_s"], "x",
               "> 300"),
        Figure("  its lab time", demo["lab_s"], "s"),
        Figure("  its wall time", demo["wall_s"], "s"),
        Figure("demo, the whole command", _demo_command_s(folder), "s", "<= 30"),
        Figure("numba, compiled anew", _child(["benchmarks.compiling"], cold), "s", "<= 60"),
        Figure("  from its cache", _child(["benchmarks.compiling"], cold), "s"),
    ]  # fmt: skip


def _memory(payload: str, folder: Path) -> Figure:
    grown = _child(["benchmarks.memory", payload, "10000", str(folder)])
    return Figure(f"memory growth per 10 000 points, {payload}", grown, "MB", "< 1")


def _demo_command_s(folder: Path) -> float:
    command = Path(sys.executable).with_name("labctl")
    began_s = perf_counter()
    subprocess.run(
        [str(command), "demo", "--out", str(folder / "demo")], check=True, stdout=subprocess.DEVNULL
    )
    return perf_counter() - began_s


def _child(module: list[str], environment: dict[str, str] | None = None) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", *module],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    return json.loads(done.stdout.splitlines()[-1])
