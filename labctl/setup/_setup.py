"""The validated set-up: what everything above the drivers knows about the instruments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labctl.errors import ConfigError, Problem
from labctl.optics import Blocking, LightFilter
from labctl.roles import SettableSpec
from labctl.setup._faults import write_fault
from labctl.setup._instrument import InstrumentSetup
from labctl.setup._models import SetupFile
from labctl.setup._plain import plain
from labctl.setup._simulated import simulated
from labctl.setup._truth import write_truth
from labctl.setup._words import did_you_mean
from labctl.setup._yaml import Document
from labctl.units import format_quantity

__all__ = ["Setup"]

_ONLY_BELIEVED = (
    "spot_uncertainty_um",
    "wide_field_1e2_diameter_um",
    "polarization_uncertainty_deg",
)


@dataclass(frozen=True)
class Setup:
    """A set-up file, checked; nothing is connected.

    Attributes:
        path: The file.
        file: Its content.
        instruments: Instruments by name, in the order of the file.
        sample: The sample file, if there is one.
        recorded: A recorded spectrum that a simulation shows in the place of the dot:
            ``wavelength_nm`` and ``electrons_per_s``.
        notices: What a person should know although nothing is wrong.
        unread: Instruments of the file with something wrong in them; only in a draft.
    """

    path: Path
    file: SetupFile
    instruments: Mapping[str, InstrumentSetup]
    sample: Document | None = None
    notices: tuple[str, ...] = field(default=())
    recorded: Mapping[str, list[float]] | None = None
    unread: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Name of the set-up in the user's words."""
        return self.file.name

    @property
    def data_root(self) -> Path:
        """Folder below which everything is written."""
        return self.file.data_root.expanduser()

    @property
    def safe_state(self) -> tuple[str, ...]:
        """``instrument.action``, in the order of execution."""
        return self.file.safe_state

    @property
    def monitors(self) -> dict[str, float]:
        """``instrument.quantity`` → period in s."""
        return {monitor.read: monitor.every_s for monitor in self.file.monitors}

    @property
    def calibrations(self) -> dict[str, Path]:
        """Name of a calibration → its file, below ``data_root``."""
        return {name: self.data_root / entry.file for name, entry in self.file.calibrations.items()}

    def states(self, calibration: str) -> bool:
        """Return whether the file itself says what a calibration measures, and how well.

        It does not want that calibration then: what it says holds until there is one.
        """
        laser = self.file.laser
        spot = laser is not None and laser.spot_uncertainty_um is not None
        return calibration == "spot_size" and spot

    @property
    def sample_name(self) -> str:
        """Name of the sample that is mounted; empty if the set-up names none."""
        return str(self.sample.data.get("name", "")) if self.sample else ""

    @property
    def dots(self) -> tuple[str, ...]:
        """Names of the dots of the sample."""
        return tuple(self.sample.data["dots"]) if self.sample else ()

    @property
    def blocking(self) -> Blocking | None:
        """What keeps laser light from the detectors; None: the file says nothing."""
        block = self.file.laser_blocking
        if block is None:
            return None
        filters = tuple(
            LightFilter(
                name, entry.density, entry.instrument or "", entry.standing, entry.detectors
            )
            for name, entry in block.filters.items()
        )
        return Blocking(filters, block.least, block.special)

    def having(self, role: str) -> list[InstrumentSetup]:
        """Return the instruments that play a role."""
        return [entry for entry in self.instruments.values() if entry.role == role]

    def _having(self, quantity: str) -> list[str]:
        return [name for name, entry in self.instruments.items() if quantity in entry.settables]

    def settable(self, reference: str) -> SettableSpec:
        """Return what is known about ``instrument.quantity``, with the limits of this set-up.

        Raises:
            ConfigError: No such instrument or settable; without a place in a file.
        """
        name, _, quantity = reference.partition(".")
        if name not in self.instruments:
            hint = did_you_mean(name, self.instruments, kind="instruments")
            raise ConfigError([Problem(f"the set-up has no instrument {name!r}", hint=hint)])
        settables = self.instruments[name].settables
        if quantity not in settables:
            known = [f"{name}.{entry}" for entry in settables]
            hint = did_you_mean(reference, known, kind="settables")
            others = [f"{one}.{quantity}" for one in self._having(quantity)]
            hint = f"did you mean {' or '.join(others)}? {hint}" if others else hint
            raise ConfigError([Problem(f"{name} has no settable {quantity!r}", hint=hint)])
        return settables[quantity]

    def rig_spec(
        self, sample: Mapping[str, Any] | None = None, dot: str | None = None
    ) -> dict[str, Any]:
        """Return what the simulated set-up is built from: plain numbers, keys with units.

        Args:
            sample: Content of a sample file; the set-up's own if None.
            dot: The dot on the optical axis; else that of the set-up, else the first.

        Raises:
            ConfigError: There is no sample.
        """
        content = sample if sample is not None else self.sample.data if self.sample else None
        if content is None:
            hint = "write 'sample: file.yaml' in the set-up, or use --sample"
            raise ConfigError([Problem("a simulation needs a sample", str(self.path), hint)])
        world = self.file.simulate
        first = next(iter(content.get("dots", {})), "")
        spec: dict[str, Any] = {
            "sample": dict(content),
            "dot": dot or world.dot or first,
            "memory": world.memory,
            "instruments": {name: simulated(entry) for name, entry in self.instruments.items()},
        }
        laser = world.laser or self.file.laser
        if laser is not None:
            # How well something is known is no property of the world, and what a lens makes of
            # the light is one of the lens.
            spec["laser"] = plain(laser.model_copy(update=dict.fromkeys(_ONLY_BELIEVED)))
        if self.recorded is not None:
            spec["spectrum"] = dict(self.recorded)
        return spec

    def resolved(self) -> dict[str, Any]:
        """Return the set-up with every default written out, as JSON that loads again.

        Who may look on has nothing to do with what is measured, and is left out.
        """
        content = self.file.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude={"instruments", "listen"}
        )
        content["instruments"] = {
            name: _resolved(entry) for name, entry in self.instruments.items()
        }
        return content


def _resolved(entry: InstrumentSetup) -> dict[str, Any]:
    settings = entry.settings.model_dump(mode="json", by_alias=True, exclude_none=True)
    block: dict[str, Any] = {"driver": entry.driver, **settings}
    if entry.address:
        block["address"] = entry.address
    if entry.isolate:
        longest_call = format_quantity(entry.longest_call_s, "s")
        block.update(isolate=True, longest_call=longest_call)
    settables = entry.driver_type.settables
    block["limits"] = {
        name: [format_quantity(bound, settables[name].unit) for bound in (span.low, span.high)]
        for name, span in entry.limits.items()
    }
    if entry.truth_defaults:
        block["simulate"] = {
            "simulator": entry.simulator,
            "truth": write_truth(entry.truth, entry.truth_defaults),
            "faults": [write_fault(fault) for fault in entry.faults],
            **({"isolate": True} if entry.isolate_simulated else {}),
        }
    return block
