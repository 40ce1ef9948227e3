"""A recipe against a set-up: everything it asks for must exist and lie within the limits."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from labctl.errors import ConfigError, Problem
from labctl.measurements import Measurement, PhotonMeasurement
from labctl.recipes._nodes import CalibrateNode, DotsNode, MeasureNode, Range, ScanNode
from labctl.recipes._recipe import Demand, Recipe, walk
from labctl.recipes._registry import CALIBRATE
from labctl.recipes._values import listed, number, unit_of, values_in
from labctl.roles import SettableSpec
from labctl.setup import InstrumentSetup, Location, Setup, did_you_mean, in_order
from labctl.units import format_quantity

__all__ = ["bind", "check_values"]

Where = Callable[[Location], str]


def bind(recipe: Recipe, setup: Setup, where: Where) -> Recipe:
    """Return the recipe with the units of the set-up's settables.

    Args:
        recipe: The recipe.
        setup: The set-up that shall carry it out.
        where: Returns file and line of a location.

    Raises:
        ConfigError: With everything in the recipe that this set-up cannot do.
    """
    check = _Check(setup, where)
    check.sample(recipe)
    for node, at in walk(recipe.file.steps):
        if isinstance(node, ScanNode):
            check.scan(node, at)
        elif isinstance(node, DotsNode):
            check.dots(at)
        elif isinstance(node, MeasureNode):
            check.measurement(node, at)
    if check.problems:
        raise ConfigError(in_order(check.problems))
    return replace(recipe, units=check.units, demands=tuple(check.demands))


def check_values(recipe: Recipe, where: Where) -> list[Problem]:
    """Return what is wrong with the scans as far as it can be seen without a set-up."""
    problems: list[Problem] = []
    for node, at in walk(recipe.file.steps):
        if isinstance(node, ScanNode) and isinstance(node.values, Range):
            try:
                next(values_in(node, unit_of(node)), None)
            except ValueError as error:
                what, _, hint = str(error).partition("; ")
                problems.append(Problem(f"{node.scan}: {what}", where((*at, "values")), hint))
    return problems


class _Check:
    def __init__(self, setup: Setup, where: Where) -> None:
        self._setup, self._where = setup, where
        self.units: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._kinds: set[str] = set()
        self._finds_dots = False
        self.demands: list[Demand] = []

    def problem(self, what: str, at: Location, hint: str = "") -> None:
        self.problems.append(Problem(what, self._where(at), hint))

    def sample(self, recipe: Recipe) -> None:
        wanted, document = recipe.file.sample, self._setup.sample
        if document is None:
            return
        name = str(document.data.get("name", ""))
        if wanted.name and wanted.name != name:
            hint = "write the name of the sample that is mounted, or choose another --sample"
            what = f"the recipe is for the sample {wanted.name!r}, the set-up has {name!r}"
            self.problem(what, ("sample", "name"), hint)
        elif wanted.dot and wanted.dot not in self._setup.dots:
            hint = did_you_mean(wanted.dot, self._setup.dots, kind="dots")
            self.problem(f"the sample has no dot {wanted.dot!r}", ("sample", "dot"), hint)

    def scan(self, node: ScanNode, at: Location) -> None:
        if node.scan.partition(".")[0] in self._setup.unread:
            return
        try:
            spec = self._setup.settable(node.scan)
        except ConfigError as error:
            for problem in error.problems:
                self.problem(f"scan: {problem.what}", (*at, "scan"), problem.hint)
            return
        self.units[node.scan] = spec.unit
        self._demand(node, at)
        self._settle(node, spec, at)
        if isinstance(node.values, Range):
            self._range(node, spec, (*at, "values"))
        else:
            self._list(node, spec, (*at, "values"))

    def _demand(self, node: ScanNode, at: Location) -> None:
        """Note which calibrations of the set-up a scan rests on, unless a step before makes it."""
        instrument, _, quantity = node.scan.partition(".")
        known = self._setup.instruments[instrument].driver_type.calibrated_by
        for name in known.get(quantity, ()):
            self._rests_on(name, instrument, node.scan, self._where((*at, "scan")))

    def _rests_on(self, name: str, instrument: str, what: str, where: str) -> None:
        made = f"{CALIBRATE}{name}" in self._kinds
        wanted = name in self._setup.file.calibrations and not self._setup.states(name)
        if wanted and not made:
            self.demands.append(Demand(name, instrument, what, where))

    def _list(self, node: ScanNode, spec: SettableSpec, at: Location) -> None:
        values = node.values if isinstance(node.values, tuple) else ()
        for index, amount in enumerate(values):
            try:
                value = number(amount, spec.unit)
            except ValueError as error:
                self._said(f"{node.scan}: {error}", (*at, index))
                continue
            if value not in spec.limits:
                shown = format_quantity(value, spec.unit)
                self._outside(node.scan, shown, spec, (*at, index))

    def _range(self, node: ScanNode, spec: SettableSpec, at: Location) -> None:
        try:
            outside = [v for v in values_in(node, spec.unit) if v not in spec.limits]
        except ValueError as error:
            self._said(f"{node.scan}: {error}", at)
            return
        if outside:
            shown = listed([f"{value:.6g}" for value in outside])
            self._outside(node.scan, f"{shown} {spec.unit}", spec, at)

    def _outside(self, scan: str, shown: str, spec: SettableSpec, at: Location) -> None:
        low, high = spec.limits.low, format_quantity(spec.limits.high, spec.unit)
        self.problem(f"{scan}: {shown} is out of range", at, f"allowed: {low:g} to {high}")

    def _settle(self, node: ScanNode, spec: SettableSpec, at: Location) -> None:
        if node.settle is None:
            return
        if not spec.settles:
            hint = "it arrives by itself; remove 'settle'"
            self.problem(f"{node.scan} has nothing to settle", (*at, "settle"), hint)
            return
        for key in ("tolerance", "std"):
            amount = getattr(node.settle, key)
            if amount is None:
                continue
            try:
                value = number(amount, spec.unit)
            except ValueError as error:
                self._said(f"settle.{key}: {error}", (*at, "settle", key))
                continue
            if not 0 < value < math.inf:
                self.problem(f"settle.{key}: must be greater than 0", (*at, "settle", key))

    def dots(self, at: Location) -> None:
        if not self._finds_dots:
            hint = "put a step 'map: {find: true, …}' before"
            self.problem("there are no dots: no map earlier finds any", (*at, "dots"), hint)

    def measurement(self, node: MeasureNode, at: Location) -> None:
        verb = "calibrate" if isinstance(node, CalibrateNode) else node.measurement.kind
        for role in node.measurement.needs:
            # What could not be read may well play the role.
            if not self._setup.having(role) and not self._setup.unread:
                there = ", ".join(self._setup.instruments)
                what = f"{verb} needs a {role}, and the set-up has none"
                self.problem(what, (*at, verb), f"it has {there}")
        for name, role in node.measurement.rests_on.items():
            found = [entry.name for entry in self._setup.having(role)]
            # Of several, measurements take the one that is called like its role.
            for instrument in [role] if role in found else found[:1]:
                self._rests_on(name, instrument, verb, self._where((*at, verb)))
        for key, what, hint in self._light(node.measurement):
            self.problem(f"{verb}.{key}: {what}", (*at, verb, key), hint)
        self._kinds.add(node.measurement.kind)
        self._finds_dots |= getattr(node.measurement, "find", False)
        for instrument in self._setup.having("spectrograph"):
            for key, what, hint in _optics(node.measurement, instrument):
                self.problem(f"{verb}.{key}: {what}", (*at, verb, key), hint)

    def _light(self, measurement: Measurement) -> Iterator[tuple[str, str, str]]:
        """Yield what is wrong with light path, detectors and peak: key, what, hint."""
        paths, path = self._setup.file.paths, getattr(measurement, "path", None)
        if path is not None and path not in paths:
            hint = did_you_mean(path, paths, kind="paths")
            yield "path", f"the set-up has no light path {path!r}", hint
        if getattr(measurement, "at_peak", False) and "spectrum" not in self._kinds:
            hint = "put a step 'spectrum' before, or give a center"
            yield "at_peak", "there is no spectrum earlier in the recipe", hint
        if not isinstance(measurement, PhotonMeasurement):
            return
        named, wanted = measurement.detectors, measurement.wanted
        known = [entry.name for entry in self._setup.having("photon_counter")]
        for name in named or ():
            if name not in known and name not in self._setup.unread:
                hint = did_you_mean(name, known, kind="detectors")
                yield "detectors", f"the set-up has no detector {name!r}", hint
        count = len(known) if named is None else len(named)
        if wanted is not None and known and (count < wanted or (named and count != wanted)):
            yield "detectors", f"{measurement.kind} takes {wanted}, not {count}", ""

    def _said(self, text: str, at: Location) -> None:
        what, _, hint = text.partition("; ")
        self.problem(what, at, hint)


def _optics(
    measurement: Measurement, spectrograph: InstrumentSetup
) -> Iterator[tuple[str, str, str]]:
    """Yield what the spectrograph cannot do: key, what, hint."""
    spec = spectrograph.settables.get("wavelength")
    center_nm = getattr(measurement, "center_nm", None)
    if spec and center_nm is not None and center_nm not in spec.limits:
        high = format_quantity(spec.limits.high, spec.unit)
        hint = f"allowed: {spec.limits.low:g} to {high}"
        yield "center", f"{center_nm:g} nm is out of range", hint
    grating_per_mm = getattr(measurement, "grating_per_mm", None)
    gratings = getattr(spectrograph.settings, "gratings", None)
    if grating_per_mm is None or not gratings:
        return
    if grating_per_mm not in gratings.values():
        known = ", ".join(f"{lines:g}/mm" for lines in gratings.values())
        yield "grating", f"there is no grating of {grating_per_mm:g}/mm", f"gratings: {known}"
