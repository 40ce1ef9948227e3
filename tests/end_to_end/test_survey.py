"""E03 in small: a map, its dots against those of the simulated sample, and a decay of each."""

import math
from pathlib import Path

from labctl.measurements import FoundDot, stored_dots
from labctl.results import analyze_run
from labctl.setup import load_yaml
from labctl.storage import read_run
from photon_setup import PhotonBench
from small_setup import ROOT

# Positions by sensors: a stage without them loses its place when it sticks, and tears spots apart.
STAGE = """  stage:
    driver: attocube.anc350
    address: TCPIP::anc350.example::2101::SOCKET
    axes:
      x: {number: 0, step_voltage: 30 V, step_frequency: 1000 Hz, fine_range: 1.5 um}
      y: {number: 1, step_voltage: 30 V, step_frequency: 1000 Hz, fine_range: 1.5 um}
    simulate: {truth: {drift: false}}
paths:"""
COLOUR = "grating: 300/mm, wavelength: 531 nm"
FIELD = f"center: [-0.4 um, -0.4 um], size: [5.5 um, 12 um], step: 0.5 um, {COLOUR}"
CENTRE = "F6"
INSIDE = {"F5", "F6", "F7"}
Places = dict[str, tuple[float, float]]


def truth() -> tuple[Places, dict[str, float]]:
    """Return where the stage stands with each dot in the spot, and lifetimes, of the sample."""
    sample = load_yaml(ROOT / "configs" / "samples" / "cspbbr3_23nm.yaml").data["dots"]
    at = {
        name: [float(str(um).removesuffix(" um")) for um in dot["position"]]
        for name, dot in sample.items()
    }
    x_um, y_um, _ = at[CENTRE]
    places = {name: (x_um - x, y_um - y) for name, (x, y, _) in at.items()}
    lifetimes = {n: float(str(d["lifetime"]).removesuffix(" ps")) for n, d in sample.items()}
    return places, lifetimes


def nearest(dot: FoundDot, places: Places) -> tuple[str, float]:
    """Return the true dot that lies nearest, and how far away, um."""
    apart = {n: math.hypot(dot.x_um - x, dot.y_um - y) for n, (x, y) in places.items()}
    name = min(apart, key=lambda n: apart[n])
    return name, apart[name]


def test_dots_are_found_where_they_are_and_measured_there(tmp_path: Path) -> None:
    bench = PhotonBench(tmp_path)
    decay = "trpl: {center: 531 nm, stop: {counts: 5000, at_most: 20 s}}"
    request = bench.ask(
        f"""
        irf: {{grating: 300/mm, stop: {{counts: 100000, at_most: 60 s}}}}
        map: {{{FIELD}, dwell: 0.1 s, find: true}}
        dots: {{at_most: 5, steps: [{{{decay}}}]}}
        """,
        changes={"paths:": STAGE},
    )
    text = request.recipe.read_text("utf-8").replace("dot: A7", f"dot: {CENTRE}")
    request.recipe.write_text(text, "utf-8")
    run = read_run(bench.run(request).journal)
    assert run.status == "complete"
    (dots,) = (stored_dots(record) for record in run.found if record["what"] == "dots")
    places, lifetimes = truth()
    names = {dot.name: nearest(dot, places) for dot in dots}
    assert {name for name, _ in names.values()} == INSIDE
    assert len(dots) == len(INSIDE)
    assert max(apart for _, apart in names.values()) < 0.3
    measured = run.data["trpl"]["dot_name"].values.tolist()
    assert sorted(measured) == sorted(names), [e.message for e in run.events]
    rows = next(r for r in analyze_run(run).results if r.quantity == "lifetime").tables[0]
    for name, tau, error in zip(
        measured, rows.column("lifetime"), rows.column("lifetime_error"), strict=True
    ):
        # Dots differ by more than that: none was taken for another.
        assert isinstance(tau, float)
        assert isinstance(error, float)
        assert abs(tau - lifetimes[names[name][0]]) < 4.0 * error + 10.0
