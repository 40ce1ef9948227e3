"""Photons: decay with a quick lifetime, coincidences with the peak at zero, count rates."""

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtWidgets import QCheckBox

from labctl.gui._engine import Engine
from labctl.gui._inbox import Picture
from labctl.gui._live_bar import Field, LiveBar
from labctl.gui._live_panel import LivePanel
from labctl.gui._plot import Curve, Plot

__all__ = ["DecayPanel", "PairsPanel", "RatesPanel", "tail_lifetime_ns"]

_FIELDS = (Field("restart", "60 s", "So long histograms grow before they begin anew"),)
_SMOOTH = 16
_MOST_BINS = 4000
_ABOVE, _LEAST_NEAR_NS = 0.01, 1.0
"""Near the pulse: where a decay is above so much of its maximum, and no less, ns."""
_LEAST = 0.5
"""What an empty bin shows on a logarithmic axis."""


def _bar(engine: Engine) -> LiveBar:
    """Return the line of the live view of photons, which all panels of photons share."""
    return LiveBar(engine, "photons", _FIELDS)


class DecayPanel(LivePanel):
    """Counts against delay, one curve for each detector."""

    topics = ("decay", "point/trpl")

    def __init__(self, engine: Engine) -> None:
        """Show the newest decay of the engine."""
        self.plot = Plot(("delay", "ns"), ("counts", ""))
        super().__init__(engine, self.plot, _bar(engine))
        self.log = QCheckBox("log")
        self.log.setChecked(True)
        self.log.toggled.connect(self.plot.set_log)
        self.bar.add(self.log)
        self.plot.set_log(True)
        self.near = QCheckBox("near the pulse")
        self.near.setChecked(True)
        self.near.setToolTip(
            "Show the delays around the maximum, not the whole period of the laser"
        )
        self.near.toggled.connect(self._show_near)
        self.bar.add(self.near)
        self._fit = self.plot.curve("one exponential", 3, 2.5)
        # Drawn above the data, whose curves are added later.
        self._fit.item.setZValue(10.0)
        self._decays: list[Curve] = []
        self.catch_up()

    def draw(self, topic: str, picture: Picture) -> None:
        """Draw the decays, and an exponential through the tail of the first."""
        counts = np.atleast_2d(picture.arrays["counts"]).astype(np.float64)
        delay_ns = np.asarray(picture.arrays["delay"], np.float64) / 1e3
        _name_curves(self.plot, self._decays, len(counts), picture)
        for curve, values in zip(self._decays, counts, strict=False):
            curve.set(delay_ns, np.maximum(values, _LEAST))
        total = ", ".join(f"{int(row.sum())}" for row in counts)
        live = picture.head.get("live_s")
        text = f"{total} counts" + (f" in {live:.1f} s" if live else "")
        self.read_out.setText(text + self._show_fit(picture, delay_ns, counts[0]))
        self._show_near(self.near.isChecked())

    def _show_near(self, wanted: bool) -> None:
        if not wanted or not self._decays or not len(self._decays[0].x):
            self.plot.show_all()
            return
        delay_ns, counts = self._decays[0].x, self._decays[0].y
        top, floor = int(np.argmax(counts)), float(np.median(counts))
        above = np.flatnonzero(counts > floor + _ABOVE * (counts[top] - floor))
        half_ns = (
            max(_LEAST_NEAR_NS, float(delay_ns[above[-1]] - delay_ns[top])) if len(above) else 0
        )
        middle_ns = float(delay_ns[top])
        self.plot.show_x(middle_ns - 0.5 * half_ns, middle_ns + 2.0 * half_ns)

    def _show_fit(
        self, picture: Picture, delay_ns: NDArray[np.float64], counts: NDArray[np.float64]
    ) -> str:
        """Draw the fit of the engine, or else a quick look at the tail; returns it in words."""
        if "fit" in picture.arrays:
            expected = np.asarray(picture.arrays["fit"], np.float64)
            value, error = (
                1e-3 * float(picture.head[key]) for key in ("lifetime_ps", "lifetime_error_ps")
            )
            words = f", lifetime {value:.4f} ± {error:.4f} ns (one exponential, response taken out)"
        else:
            found = tail_lifetime_ns(delay_ns, counts)
            if found is None:
                self._fit.set(delay_ns[:0], delay_ns[:0])
                return ""
            lifetime_ns, error_ns, expected = found
            words = f", tail {lifetime_ns:.3f} ± {error_ns:.3f} ns (no response taken out)"
        # NaN where nothing was fitted; an empty bin has no logarithm.
        shown = expected > 0.0
        self._fit.set(delay_ns[: len(expected)][shown], expected[shown])
        return words


class PairsPanel(LivePanel):
    """Coincidences by the difference of pulses, over those of uncorrelated photons."""

    topics = ("g2", "point/g2")

    def __init__(self, engine: Engine) -> None:
        """Show the newest coincidences of the engine."""
        self.plot = Plot(("difference of pulses", ""), ("g²", ""))
        super().__init__(engine, self.plot, _bar(engine))
        self._peaks = self.plot.curve("", 0, symbol="o")
        self._zero = self.plot.curve("zero peak", 1, symbol="s")
        self._errors = self.plot.error_bars()
        self.plot.bound_below(0.0)
        self.plot.line(1.0, upright=False, tone="faint")
        self.plot.line(0.5, upright=False, tone="warn")
        self.catch_up()

    def draw(self, topic: str, picture: Picture) -> None:
        """Draw g² of all peaks, that at zero marked."""
        if "areas" not in picture.arrays:
            return
        peak = np.asarray(picture.arrays["peak"], np.float64)
        areas = np.asarray(picture.arrays["areas"], np.float64)
        expected = np.asarray(picture.arrays["areas_expected"], np.float64)
        if not np.all(expected > 0.0):
            self.read_out.setText("too few photons for coincidences")
            return
        g2 = areas / expected
        middle = len(peak) // 2
        self._peaks.set(np.delete(peak, middle), np.delete(g2, middle))
        self._zero.set(peak[middle : middle + 1], g2[middle : middle + 1])
        errors = np.sqrt(np.maximum(areas, 1.0)) / expected
        self._errors.set(peak, g2, errors)
        error = float(errors[middle])
        self.read_out.setText(
            f"g²(0) = {g2[middle]:.3f} ± {error:.3f} from {int(areas[middle])} pairs"
            f" at zero, {expected[middle]:.1f} expected; background not taken out"
        )


class RatesPanel(LivePanel):
    """Count rates against time, with the rate above which a detector is warned of."""

    topics = ("rates", "point/trace", "point/photons")

    def __init__(self, engine: Engine) -> None:
        """Show the newest rates of the engine."""
        self.plot = Plot(("time", "s"), ("count rate", "1/s"))
        super().__init__(engine, self.plot, _bar(engine))
        self.alarm = self.plot.line(0.0, upright=False, tone="bad")
        self.alarm.show(False)
        self._rates: list[Curve] = []
        self.catch_up()

    def draw(self, topic: str, picture: Picture) -> None:
        """Draw the rate of each detector."""
        time_s = np.asarray(picture.arrays["time"], np.float64)
        if "rate" in picture.arrays:
            rates = np.asarray(picture.arrays["rate"], np.float64).T
        else:
            width_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else 1.0
            counts = picture.arrays.get("by_detector", picture.arrays["counts"])
            rates = np.atleast_2d(counts.T) / width_s
        time_s, rates = _coarser(time_s, rates)
        _name_curves(self.plot, self._rates, len(rates), picture)
        for curve, values in zip(self._rates, rates, strict=False):
            curve.set(time_s, values)
        limits = picture.head.get("warn_hz", {})
        if limits:
            self.alarm.set(min(limits.values()))
            highest = float(rates.max(initial=0.0))
            self.alarm.show(highest > 0.2 * min(limits.values()))
        now = picture.head.get("rates_hz", {})
        if not now and rates.size:
            now = {f"detector {n + 1}, mean": row.mean() for n, row in enumerate(rates)}
        words = [f"{name} {rate:,.0f} /s" for name, rate in now.items()]
        self.read_out.setText("   ".join(words))


def _name_curves(plot: Plot, curves: list[Curve], number: int, picture: Picture) -> None:
    """Have so many curves, named by the detectors as far as the picture tells them."""
    told: list[str] = picture.head.get("detectors") or []
    for n in range(number):
        name = told[n] if n < len(told) else f"detector {n + 1}"
        if n == len(curves):
            curves.append(plot.curve(name, n))
        plot.rename(curves[n], name)


def _coarser(
    time_s: NDArray[np.float64], rates: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means of neighbouring bins: an hour in bins of 10 ms is more than a screen shows."""
    number = max(1, len(time_s) // _MOST_BINS)
    whole = len(time_s) - len(time_s) % number
    times = time_s[:whole].reshape(-1, number).mean(axis=1)
    return times, rates[:, :whole].reshape(len(rates), -1, number).mean(axis=2)


def tail_lifetime_ns(
    delay_ns: NDArray[np.float64], counts: NDArray[np.float64]
) -> tuple[float, float, NDArray[np.float64]] | None:
    """Return lifetime, its error and the curve of an exponential through the tail; a quick look.

    The tail is what follows the maximum by a thousandth of the window. With the background taken
    from before the rise, the mean delay of an exponential that ends with the window gives the
    lifetime; the error is that of counting, lifetime over the root of the counts. No response is
    taken out: below some hundred picoseconds it is the detector's, not the dot's.
    """
    if counts.sum() < 200 or len(counts) < 20:
        return None
    top = int(np.argmax(counts))
    first = top + max(1, len(counts) // 1000)
    floor = float(np.mean(counts[: top // 2])) if top > 20 else 0.0
    end = _end_of_tail(counts[first:] - floor) + first
    tail, delay = counts[first:end] - floor, delay_ns[first:end] - delay_ns[first]
    total = float(tail.sum())
    # Less than some deviations of the background is no tail.
    if len(tail) < 10 or total < max(100.0, 5.0 * float(np.sqrt(counts[first:end].sum()))):
        return None
    step_ns = float(delay_ns[1] - delay_ns[0])
    span_ns = float(delay[-1]) + step_ns
    lifetime_ns = _untruncated(float((delay * tail).sum() / total), span_ns)
    if lifetime_ns is None:
        return None
    height = total * step_ns / (lifetime_ns * -np.expm1(-span_ns / lifetime_ns))
    fitted = np.zeros(len(counts))
    fitted[first:end] = height * np.exp(-delay / lifetime_ns) + floor
    # Of the two, height and lifetime, both come from the same counts: about twice the variance.
    return lifetime_ns, lifetime_ns * float(np.sqrt(2.0 / total)), np.maximum(fitted, 0.0)


def _end_of_tail(tail: NDArray[np.float64]) -> int:
    """Return where the tail has fallen to a twentieth: beyond, the background decides the mean."""
    smooth = np.convolve(tail, np.ones(_SMOOTH) / _SMOOTH, mode="valid")
    low = np.flatnonzero(smooth < smooth[0] / 20.0) if len(smooth) else np.empty(0, np.int64)
    return int(low[0]) + _SMOOTH // 2 if len(low) else len(tail)


def _untruncated(mean_ns: float, span_ns: float) -> float | None:
    """Return the lifetime whose mean delay within ``span_ns`` is ``mean_ns``."""
    if not 0.0 < mean_ns < 0.45 * span_ns:
        return None
    lifetime = mean_ns
    for _ in range(50):
        # mean = tau - T / (exp(T / tau) - 1), solved by repetition.
        lifetime = mean_ns + span_ns / np.expm1(min(span_ns / lifetime, 700.0))
    return float(lifetime)
