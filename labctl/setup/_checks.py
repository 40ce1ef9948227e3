"""What concerns several parts of a set-up: names that must exist, addresses that must differ.

These checks work on the plain data, so that a mistake elsewhere in the file hides none of them.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from labctl.errors import ConfigError, Problem
from labctl.roles import Instrument
from labctl.setup._amount import number_in
from labctl.setup._plugins import Plugins
from labctl.setup._words import did_you_mean, spelled
from labctl.setup._yaml import Document, Location

__all__ = ["check_references", "normal_address"]

_MIRRORS = {"exit": ("front", "side"), "entrance": ("front", "side")}
_POSITIONS = {"spectrograph": _MIRRORS}
"""Role → part that a light path may name → its positions."""
_DETECTORS = {"camera", "imaging_camera", "photon_counter"}


class _Owners:
    """Who owns a connection: one instrument, or several units of one driver on one line."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[str, str]] = {}
        self._units: dict[tuple[str, str], str] = {}

    def clash(self, key: str, name: str, bus: str, unit: object) -> str:
        """Return who is there already, or an empty string."""
        owner, line = self._owners.setdefault(key, (name, bus))
        if bus and bus == line:
            owner = self._units.setdefault((key, str(unit)), name)
        return "" if owner == name else owner


class _References:
    def __init__(self, document: Document, plugins: Plugins) -> None:
        self._document = document
        self._blocks = _mapping(document.data.get("instruments"))
        self._drivers = dict(_drivers(self._blocks, plugins))
        self.problems: list[Problem] = []

    def problem(self, what: str, at: Location, hint: str = "") -> None:
        self.problems.append(Problem(what, self._document.where(at), hint))

    def addresses(self) -> None:
        owners = _Owners()
        for name, block in self._blocks.items():
            block = _mapping(block)
            driver = self._drivers.get(name)
            address = block.get("address") or ""
            if not isinstance(address, str) or (driver and driver.interface == "hand"):
                continue
            library = driver is not None and driver.interface == "library"
            if not address and not library:
                continue
            bus_key = driver.bus_key if driver else ""
            key = f"{block.get('driver')} {address}" if library else normal_address(address)
            bus = f"{block.get('driver')}" if bus_key else ""
            unit = block.get(bus_key, _default(driver, bus_key)) if driver and bus_key else None
            other = owners.clash(key, name, bus, unit)
            if other:
                where = f"the address {address!r}" if address else "no address"
                where += f" and {bus_key} {unit}" if bus_key else ""
                what = f"{other} and {name} both have {where}"
                hint = "one connection belongs to one instrument"
                self.problem(what, ("instruments", name, "address"), hint)

    def safe_state(self) -> None:
        for index, entry in enumerate(_list(self._document.data.get("safe_state"))):
            self._named(entry, ("safe_state", index), "safe action", lambda d: d.safe_actions)

    def monitors(self) -> None:
        for index, entry in enumerate(_list(self._document.data.get("monitors"))):
            at = ("monitors", index, "read")
            self._named(_mapping(entry).get("read"), at, "reading", lambda d: d.readables)

    def interlocks(self) -> None:
        for index, entry in enumerate(_list(self._document.data.get("interlocks"))):
            block, at = _mapping(entry), ("interlocks", index)
            units = self._named(
                block.get("watch"), (*at, "watch"), "reading", lambda d: d.readables
            )
            if units is not None:
                self._amounts(block, at, ("above", "below", "band", "rearm"), str(units))
                self._way_back(block, at, str(units))
            self._alarm(block, at)

    def _way_back(self, block: Mapping[Any, Any], at: Location, unit: str) -> None:
        """Refuse a re-arm threshold that is not on the safe side of the trip threshold."""
        try:
            low, high = _bounds(block, unit)
            good_low, good_high = _bounds({**block, **_rearms(block)}, unit)
        except (TypeError, ValueError):  # said with the amounts
            return
        if not (low < high and good_low < good_high):
            self.problem("the band is empty; the smaller amount comes first", at)
            return
        inside = low < good_low or math.isinf(low)
        inside = inside and (good_high < high or math.isinf(high))
        if block.get("rearm") is not None and not inside:
            hint = "leave a distance between both, or the run goes on and off again"
            self.problem("rearm is not on the safe side of the threshold", (*at, "rearm"), hint)

    def _alarm(self, block: Mapping[Any, Any], at: Location) -> None:
        name = str(block.get("watch")).partition(".")[0]
        if block.get("alarm") is True and name in self._drivers:
            driver = self._drivers[name]
            if driver.alarm is Instrument.alarm:
                self.problem(f"a {driver.role} reports no alarms", (*at, "alarm"))

    def rules(self) -> None:
        for index, entry in enumerate(_list(self._document.data.get("rules"))):
            block, at = _mapping(entry), ("rules", index)
            spec = self._named(
                block.get("limit"), (*at, "limit"), "settable", lambda d: d.settables
            )
            if spec is not None:
                self._amounts(block, at, ("to",), spec.unit)
            units = self._named(block.get("when"), (*at, "when"), "reading", lambda d: d.readables)
            if units is not None:
                self._amounts(block, at, ("above", "below"), str(units))

    def named_instruments(self) -> None:
        for name, driver in self._drivers.items():
            block = _mapping(self._blocks[name])
            for key, role in driver.references.items():
                # What is not written may be named by default, and must be there all the same.
                named = block.get(key, _default(driver, key))
                at = ("instruments", name, key) if key in block else ("instruments", name)
                if isinstance(named, str) and named and self._instrument(named, named, at):
                    self._plays(named, role, at)

    def _plays(self, name: str, role: str, at: Location) -> None:
        if name in self._drivers and self._drivers[name].role != role:
            fitting = [other for other, driver in self._drivers.items() if driver.role == role]
            what = f"{name!r} is a {self._drivers[name].role}, not a {role}"
            known = f"there are {', '.join(fitting)}" if fitting else f"no {role} is in the set-up"
            self.problem(what, at, known)

    def paths(self) -> None:
        for path, positions in _mapping(self._document.data.get("paths")).items():
            for part, position in _mapping(positions).items():
                self._position(str(part), position, ("paths", path, part))

    def blocking(self) -> None:
        data = self._document.data
        if "laser_blocking" not in data:
            if data.get("paths") and data.get("laser"):
                what = "laser_blocking is missing: nothing says what keeps the laser off detectors"
                hint = "like 'laser_blocking: {filters: {long_pass: {density: 6}}}'"
                self.problem(what, ("paths",), hint)
            return
        block = _mapping(data["laser_blocking"])
        for name, entry in _mapping(block.get("filters")).items():
            at = ("laser_blocking", "filters", name)
            for part, position in _mapping(_mapping(entry).get("in")).items():
                self._position(str(part), position, (*at, "in", part))
            instrument = _mapping(entry).get("instrument")
            if isinstance(instrument, str):
                self._instrument(instrument, instrument, (*at, "instrument"))
            named = _mapping(entry).get("detectors")
            for name in cast("Sequence[Any]", named) if isinstance(named, list | tuple) else ():
                self._protected(str(name), (*at, "detectors"))
        for name in _mapping(block.get("for")):
            self._needs_blocking(str(name))

    def _protected(self, name: str, at: Location) -> None:
        detectors = [n for n, driver in self._drivers.items() if driver.role in _DETECTORS]
        if name not in detectors:
            hint = did_you_mean(name, detectors, kind="detectors")
            self.problem(f"{name!r} is no detector of this set-up", at, hint)

    def _needs_blocking(self, name: str) -> None:
        detectors = [n for n, driver in self._drivers.items() if driver.role in _DETECTORS]
        known = [*detectors, *_mapping(self._document.data.get("paths"))]
        if name not in known:
            hint = did_you_mean(name, known, kind="detectors and light paths")
            what = f"{name!r} is no detector and no light path of this set-up"
            self.problem(what, ("laser_blocking", "for", name), hint)

    def _position(self, part: str, position: Any, at: Location) -> None:
        name, _, what = part.partition(".")
        if not self._instrument(name, part, at) or name not in self._drivers:
            return
        driver = self._drivers[name]
        if driver.role == "selector" and not what:
            self._selected(name, driver, position, at)
            return
        parts = _POSITIONS.get(driver.role, {})
        if what not in parts:
            hint = did_you_mean(part, [f"{name}.{key}" for key in parts], kind="possible")
            self.problem(f"{part!r} is nothing that a light path can set", at, hint)
        elif position not in parts[what]:
            hint = f"use {' or '.join(parts[what])}"
            self.problem(f"{part} has no position {position!r}", at, hint)

    def _selected(self, name: str, driver: type[Instrument], position: Any, at: Location) -> None:
        known = _mapping(self._blocks[name]).get("positions", _default(driver, "positions"))
        names = [str(one) for one in cast(Sequence[Any], known)]
        if position not in names:
            hint = did_you_mean(str(position), names, kind="positions")
            self.problem(f"{name} has no position {position!r}", at, hint)

    def _named(
        self,
        reference: Any,
        at: Location,
        kind: str,
        entries: Callable[[type[Instrument]], Mapping[str, Any]],
    ) -> Any:
        """Return the entry that ``instrument.entry`` names, or None after noting a problem."""
        if not isinstance(reference, str) or reference.count(".") != 1:
            return None
        name, _, entry = reference.partition(".")
        if not self._instrument(name, reference, at) or name not in self._drivers:
            return None
        known = entries(self._drivers[name])
        if entry not in known:
            what = f"{name} has no {kind} {entry!r}"
            self.problem(what, at, did_you_mean(entry, known, kind=f"{kind}s"))
        return known.get(entry)

    def _instrument(self, name: str, reference: str, at: Location) -> bool:
        if name in self._blocks:
            return True
        hint = did_you_mean(name, self._blocks, kind="instruments")
        self.problem(f"{reference!r} names no instrument of this set-up", at, hint)
        return False

    def _amounts(
        self, block: Mapping[Any, Any], at: Location, keys: Iterable[str], unit: str
    ) -> None:
        for key in keys:
            given = block.get(key)
            for amount in _list(given) if isinstance(given, list) else [given]:
                if isinstance(amount, str | int | float):
                    self._amount(amount, unit, (*at, key))

    def _amount(self, amount: str | float, unit: str, at: Location) -> None:
        try:
            number_in(amount, unit)
        except ValueError as error:
            what, _, hint = str(error).partition("; ")
            self.problem(f"{spelled(at)}: {what}", at, hint)


def check_references(document: Document, plugins: Plugins) -> list[Problem]:
    """Return what is wrong between the parts of a set-up file."""
    found = _References(document, plugins)
    found.addresses()
    found.named_instruments()
    found.paths()
    found.blocking()
    found.safe_state()
    found.monitors()
    found.interlocks()
    found.rules()
    return found.problems


def normal_address(address: str) -> str:
    """Return an address in the form in which equal connections are equal texts."""
    text = address.strip().upper().removesuffix("/")
    head, separator, tail = text.partition("::")
    if head in ("TCPIP", "GPIB", "USB"):
        head += "0"
    return f"{head}{separator}{tail}".removesuffix("::INSTR")


def _bounds(block: Mapping[Any, Any], unit: str) -> tuple[float, float]:
    """Return between what a reading is accepted; raises ValueError or TypeError."""
    band = _list(block.get("band"))
    low = band[0] if band else block.get("below")
    high = band[1] if len(band) > 1 else block.get("above")
    return (
        -math.inf if low is None else number_in(low, unit),
        math.inf if high is None else number_in(high, unit),
    )


def _rearms(block: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the re-arm threshold in the place of the condition that it belongs to."""
    kinds = [kind for kind in ("above", "below", "band") if block.get(kind) is not None]
    return {kind: block["rearm"] for kind in kinds if block.get("rearm") is not None}


def _drivers(blocks: Mapping[Any, Any], plugins: Plugins) -> Iterator[tuple[str, type[Instrument]]]:
    for name, block in blocks.items():
        driver = _mapping(block).get("driver")
        try:
            yield str(name), plugins.driver(str(driver))
        except ConfigError:  # said with the instrument
            continue


def _default(driver: type[Instrument], key: str) -> Any:
    field = driver.settings_type.model_fields.get(key)
    return None if field is None else field.default


def _mapping(value: Any) -> dict[Any, Any]:
    return cast(dict[Any, Any], value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []
