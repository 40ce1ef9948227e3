"""Counts by a module's rate meter: whatever its gates' phase, none mixes light and darkness."""

from pathlib import Path
from typing import Any

import pytest

from fake_lab import Bench, Look
from labctl.measurements import Context
from labctl.measurements._count_rate import RateMeter
from labctl.roles import DetectorFacts, DetectorWiring, Identity, PhotonCounter

GATE_S, DARK_HZ, LIGHT_HZ = 0.1, 50.0, 1e4


class GatedApd(PhotonCounter):
    """A detector at a module whose gates lie on a grid of its own."""

    interface = "hand"

    def identity(self) -> Identity:
        return Identity("fake", "apd")

    def snapshot(self) -> dict[str, Any]:
        return {}

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


class GatedBench(Bench):
    """The mean rate of the last full gate, whose beginning is shifted by ``phase_s``."""

    def __init__(self, folder: Path, phase_s: float) -> None:
        super().__init__(folder)
        self._phase_s = phase_s
        self._changes = [(0.0, DARK_HZ)]
        self.shutter.meanwhile = self._note
        facts = DetectorFacts(77.0, 50.0, DARK_HZ, 0.01)
        wiring = DetectorWiring(tagger="tagger", channel=1)
        self.apd = GatedApd("apd", facts, wiring, max_rate_hz=5e6, warn_rate_hz=1e6)
        self.apd.attach(self.rate_hz, None, self.shutter.shut)
        self.start()

    def _note(self) -> None:
        # Called before the shutter has moved: it opens if it was closed.
        rate_hz = DARK_HZ if self.shutter.is_open() else DARK_HZ + LIGHT_HZ
        self._changes.append((self.clock.now(), rate_hz))

    def rate_hz(self) -> float:
        number = (self.clock.now() - self._phase_s) // GATE_S - 1.0
        begin_s = self._phase_s + number * GATE_S
        ends = [at_s for at_s, _ in self._changes[1:]] + [float("inf")]
        lit = sum(
            rate_hz * max(0.0, min(end_s, begin_s + GATE_S) - max(at_s, begin_s))
            for (at_s, rate_hz), end_s in zip(self._changes, ends, strict=True)
        )
        return lit / GATE_S


@pytest.mark.parametrize("phase", range(10))
@pytest.mark.parametrize("readings", [1, 3])
def test_light_and_darkness_are_not_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: int, readings: int
) -> None:
    bench = GatedBench(tmp_path, 0.001 + 0.01 * phase)
    counted: list[float] = []

    def works(context: Context) -> None:
        meter = RateMeter(context, bench.apd, readings)
        counted.extend([meter.dark, meter.counts(), meter.read(), meter.counts()])

    monkeypatch.setattr(Look, "works", works)
    bench.session.measure(Look(), step_id="count")
    dark, light = DARK_HZ * GATE_S * readings, (DARK_HZ + LIGHT_HZ) * GATE_S * readings
    assert counted == pytest.approx([dark, light, dark, light], rel=1e-6)
