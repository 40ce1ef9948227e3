"""The set-up file as frozen models; what concerns two keys at once is checked elsewhere."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from labctl.optics import DEFAULT_DENSITY
from labctl.setup._amount import Amount
from labctl.units import (
    Degrees,
    FluenceUjCm2,
    Hertz,
    Micrometers,
    Nanometers,
    Seconds,
    split_suffix,
)

__all__ = [
    "Action",
    "Calibration",
    "Fault",
    "Filter",
    "InstrumentBlock",
    "Interlock",
    "Laser",
    "LaserBlocking",
    "Listen",
    "Monitor",
    "Recording",
    "Rule",
    "SetupFile",
    "Simulate",
    "User",
    "World",
]


def _reference(text: str) -> str:
    if not re.fullmatch(r"[a-z]\w*\.[a-z]\w*", text):
        message = f"{text!r} does not name a part of an instrument; write it like 'shutter.close'"
        raise ValueError(message)
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        message = f"{text!r} is no name; use small letters, digits and _, like 'camera_2'"
        raise ValueError(message)
    return text


Reference = Annotated[str, AfterValidator(_reference)]
"""``instrument.quantity`` or ``instrument.action``."""
Name = Annotated[str, AfterValidator(_name)]
Action = Literal["close_light", "suspend", "abort"]


def _key(name: str) -> str:
    return split_suffix(name)[0]


class Block(BaseModel):
    """A block of the file: unknown keys are errors; quantities have units in the file only.

    Attributes:
        never: Keys that somebody may look for here, and why there are none.
    """

    never: ClassVar[dict[str, str]] = {}

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_key, validate_by_name=False
    )


class Laser(Block):
    """What the laser is believed to do.

    Attributes:
        wavelength_nm: Excitation wavelength, nm.
        rep_rate_hz: Pulses per second; None for continuous light.
        spot_1e2_diameter_um: Diameter of the spot where the intensity is 1/e², um.
        spot_uncertainty_um: Standard uncertainty of this diameter, um; None: not known.
        wide_field_1e2_diameter_um: Diameter where the intensity is 1/e² with the lens for wide
            fields in, um; None: not known, and doses leave that light out.
        peak_fluence_uj_cm2: Set by hand: fluence in the centre of the spot, uJ/cm²; with the
            attenuator fully open, if there is one.
        polarization_deg: Direction of polarization of its light as the sample sends it back,
            deg; None: not known.
        polarization_uncertainty_deg: Standard uncertainty of this direction, deg.
    """

    wavelength_nm: Nanometers = Field(gt=0, description="like 'wavelength: 405 nm'")
    rep_rate_hz: Hertz | None = Field(None, gt=0)
    spot_1e2_diameter_um: Micrometers = Field(gt=0, description="like '2.4 um'")
    spot_uncertainty_um: Micrometers | None = Field(None, ge=0)
    wide_field_1e2_diameter_um: Micrometers | None = Field(None, gt=0)
    peak_fluence_uj_cm2: FluenceUjCm2 | None = Field(None, ge=0)
    polarization_deg: Degrees | None = Field(None, ge=0, lt=180)
    polarization_uncertainty_deg: Degrees = Field(0.5, ge=0)


class LaserTruth(Laser):
    """What the laser of a simulated set-up really does.

    Attributes:
        spot_ratio: Diameter of the spot along the stage's x over that along y; the peak fluence is
            that of a round spot of ``spot_1e2_diameter_um``.
    """

    spot_ratio: float = Field(1.0, gt=0, allow_inf_nan=False)


class Fault(Block):
    """A fault that the simulated set-up injects by itself.

    Attributes:
        kind: Name of the fault; each simulator has its own list.
        after_s: Time from the start of the simulated set-up, s.
        parameters: What this kind needs; in the file with units, like ``for: 20 s``.
    """

    kind: str = Field(min_length=1)
    after_s: Seconds = Field(0.0, ge=0)
    parameters: dict[str, Any] = Field(default_factory=dict[str, Any])


class Simulate(Block):
    """How an instrument is simulated: what it really is, and how it fails.

    Attributes:
        simulator: Entry-point name; None: that of the driver.
        truth: What differs from the simulator's defaults.
        faults: Faults that come by themselves.
        isolate: Whether its library lives in a process of its own in a simulation, too, if it
            does on the real set-up.
    """

    simulator: str | None = None
    truth: dict[str, Any] = Field(default_factory=dict[str, Any])
    faults: tuple[Fault, ...] = ()
    isolate: bool = False


class InstrumentBlock(BaseModel):
    """The keys that every instrument has; all others belong to its driver.

    Attributes:
        driver: Entry-point name.
        address: VISA resource, URL, or what the vendor's library wants.
        limits: Narrower limits by settable.
        simulate: How it is simulated.
        isolate: Whether the vendor's library is loaded in a process of its own.
        longest_call: A call of that library which has not returned after so long is given up, s.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    driver: str = Field(min_length=1, description="like 'driver: montana.cryostation'")
    address: str = ""
    limits: dict[str, tuple[Amount, Amount]] = Field(
        default_factory=dict[str, tuple[Amount, Amount]]
    )
    simulate: Simulate = Simulate()
    isolate: bool = False
    longest_call: Seconds | None = Field(None, gt=0)


class Monitor(Block):
    """A quantity that is read again and again during a run."""

    read: Reference
    every_s: Seconds = Field(gt=0, description="like 'every: 5 s'")


class Interlock(Block):
    """A condition over a reading that ends the light. Exactly one condition per entry.

    A reading that cannot be had for 10 s, or is no number for so long, counts as a bad one.

    Attributes:
        watch: The reading.
        above: Trips when the reading is larger.
        below: Trips when it is smaller.
        band: Trips when it is outside.
        stale_s: Trips when no valid reading came, or always the same one, for so long, s.
        alarm: Trips when the instrument reports an alarm.
        rearm: Reading at which a suspended run may go on, on the safe side of the trip threshold;
            of a band two, within it.
        rearm_for_s: How long all must be well before a suspended run goes on, s.
        delay_s: How long the condition must hold before it trips, s.
        every_s: Time between two readings, s.
        wait_s: Longest suspension, s; then the run is aborted.
        do: ``close_light`` (the run fails), ``suspend`` (close light, go on after re-arming) or
            ``abort``.
        latch: Whether a person must re-arm; None: yes, except after ``suspend``.
        why: Reason, shown when it trips.
    """

    watch: Reference
    above: Amount | None = None
    below: Amount | None = None
    band: tuple[Amount, Amount] | None = None
    stale_s: Seconds | None = Field(None, gt=0)
    alarm: Literal[True] | None = None
    rearm: Amount | tuple[Amount, Amount] | None = None
    rearm_for_s: Seconds = Field(5.0, ge=0)
    delay_s: Seconds = Field(0.0, ge=0)
    every_s: Seconds = Field(1.0, ge=0.01)
    wait_s: Seconds = Field(3600.0, gt=0)
    do: Action
    latch: bool | None = None
    why: str = ""

    @model_validator(mode="after")
    def _one_condition(self) -> "Interlock":
        given = [self.above, self.below, self.band, self.stale_s, self.alarm]
        if sum(condition is not None for condition in given) != 1:
            message = "needs exactly one condition; use above, below, band, stale or alarm"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _a_way_back(self) -> "Interlock":
        if self.rearm is not None and (self.stale_s is not None or self.alarm):
            raise ValueError("rearm belongs to above, below or band; remove it")
        threshold = self.above is not None or self.below is not None or self.band is not None
        if self.do == "suspend" and threshold and self.rearm is None:
            message = "says not when a suspended run may go on; write 'rearm'"
            raise ValueError(message)
        if self.rearm is not None and isinstance(self.rearm, tuple) != (self.band is not None):
            raise ValueError("rearm of a band is a band, of a threshold one reading")
        return self

    @property
    def latches(self) -> bool:
        """Whether a person must re-arm."""
        return self.do != "suspend" if self.latch is None else self.latch


class Rule(Block):
    """A rule between two instruments: a narrower limit while another one reads so and so.

    Attributes:
        limit: The settable that is limited.
        to: Lowest and highest value while the condition holds.
        when: The reading that decides.
        above: The rule holds while the reading is larger.
        below: The rule holds while it is smaller.
        why: Reason, shown with a refusal.
    """

    limit: Reference
    to: tuple[Amount, Amount]
    when: Reference
    above: Amount | None = None
    below: Amount | None = None
    why: str = ""

    @model_validator(mode="after")
    def _one_condition(self) -> "Rule":
        if (self.above is None) == (self.below is None):
            message = "needs exactly one condition; use above or below"
            raise ValueError(message)
        return self


class Calibration(Block):
    """Where a calibration is kept, and how long it may be trusted.

    Attributes:
        file: Written by the calibration measurement, below ``data_root``.
        valid_for_s: None: it does not expire.
    """

    file: Path = Field(description="like 'file: calibrations/wavelength.json'")
    valid_for_s: Seconds | None = Field(None, gt=0)

    @field_validator("file")
    @classmethod
    def _below_data_root(cls, file: Path) -> Path:
        if file.is_absolute() or ".." in file.parts:
            message = f"'{file}' leaves the data folder; name a file below data_root"
            raise ValueError(message)
        return file


class Filter(Block):
    """An element of the collection path that stops laser light.

    Attributes:
        density: Optical density at the laser line, -log10 of the transmission.
        instrument: The instrument that tells it, as it stands at present.
        standing: Positions of parts of the light path at which it is in the light (``in`` in the
            file); none: always.
        detectors: Names of the detectors in front of which it stands; none: all.
    """

    density: float | None = Field(None, ge=0, allow_inf_nan=False)
    instrument: str | None = None
    standing: dict[str, str] = Field(default_factory=dict[str, str], alias="in")
    detectors: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_source(self) -> "Filter":
        if (self.density is None) == (self.instrument is None):
            message = "needs a density or an instrument that tells it; write 'density: 6'"
            raise ValueError(message)
        return self


class LaserBlocking(Block):
    """What keeps laser light from the detectors.

    Attributes:
        least: Optical density at the laser line that every detector needs.
        special: Detectors and light paths that need another one (``for`` in the file).
        filters: The elements that stop it, by name.
    """

    least: float = Field(DEFAULT_DENSITY, ge=0, allow_inf_nan=False)
    special: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        default_factory=dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]], alias="for"
    )
    filters: dict[Name, Filter] = Field(default_factory=dict[Name, Filter])


class User(Block):
    """Who measures; written into every file."""

    name: str = Field(min_length=1)
    email: str = ""
    affiliation: str = ""
    orcid: str = Field(
        "",
        pattern=r"^(\d{4}-\d{4}-\d{4}-\d{3}[\dX])?$",
        description="like '0000-0002-1825-0097'",
    )


class Recording(Block):
    """A recorded spectrum that the simulated set-up shows instead of the light of the dot.

    Its wavelengths are those that a spectrograph shows, in air as its gratings see them.

    Attributes:
        file: ``.spe``, ``.csv`` or ``.npz``; a relative name is looked for beside the set-up.
        exposure_s: Exposure of one frame of the recording, s; None: the file says it.
        electrons_per_count: Photo-electrons that one count stands for.
        offset_counts: Bias of a pixel, taken off; what is then below 0 counts as dark.
    """

    file: Path = Field(description="like 'file: recorded.spe'")
    exposure_s: Seconds | None = Field(None, gt=0)
    electrons_per_count: float = Field(1.0, gt=0, allow_inf_nan=False)
    offset_counts: float = Field(0.0, allow_inf_nan=False)


class Listen(Block):
    """Where windows of other computers reach the engine; without it, none does.

    Attributes:
        host: Address of this computer on which the engine listens: 127.0.0.1 is for tunnels that
            end on it, 0.0.0.0 is each that it has.
        port: Port there.
        token_file: File that only its owner may read, with the token; a relative name is looked
            for beside the set-up.
        token_variable: Environment variable with the token, instead of a file.
    """

    never: ClassVar[dict[str, str]] = {
        "token": "a set-up is read by many and stored with every run; name a token_file"
    }

    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535, description="like 'port: 47110'")
    token_file: Path | None = None
    token_variable: str | None = Field(
        None, pattern=r"^[A-Za-z_]\w*$", description="like 'token_variable: LABCTL_TOKEN'"
    )

    @field_validator("host")
    @classmethod
    def _an_address(cls, host: str) -> str:
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            message = f"{host!r} is no address of a computer; write it like '127.0.0.1'"
            raise ValueError(message) from None

    @model_validator(mode="after")
    def _one_token(self) -> "Listen":
        if (self.token_file is None) == (self.token_variable is None):
            message = "needs exactly one token; write 'token_file: FILE' or 'token_variable: NAME'"
            raise ValueError(message)
        return self


class World(Block):
    """What concerns the simulated set-up as a whole.

    Attributes:
        memory: Whether slow processes (drift, dose, blinking) remember.
        dot: The dot that lies on the optical axis at the start.
        laser: Truths of the laser that differ from what is believed.
        spectrum: A recorded spectrum that shines in the place of the dot.
    """

    never: ClassVar[dict[str, str]] = dict.fromkeys(
        ("listen", "host", "port"),
        "simulated instruments speak the protocols of their instruments, which know no token,"
        " and stay on 127.0.0.1; reach them through a tunnel",
    )

    memory: bool = True
    dot: str = ""
    laser: LaserTruth | None = None
    spectrum: Recording | None = None

    @field_validator("memory", mode="before")
    @classmethod
    def _on_or_off(cls, value: Any) -> Any:
        return {"on": True, "off": False}.get(value, value) if isinstance(value, str) else value


class SetupFile(Block):
    """A set-up file. Instruments are read one by one, each with the model of its driver.

    Runs are written below ``data_root``, a folder of this computer; once one has ended, its files
    are copied below ``copy_to``, a share that may be absent meanwhile. Windows of other computers
    are let in only where ``listen`` says so.
    """

    schema_version: Literal[1] = Field(description="write 'schema_version: 1'")
    name: str = Field(min_length=1, description="like 'name: cryogenic µ-PL'")
    data_root: Path = Path("~/labctl-data")
    copy_to: Path | None = Field(None, description="like 'copy_to: //server/share/runs'")
    user: User | None = None
    listen: Listen | None = None
    laser: Laser | None = None
    instruments: dict[Name, InstrumentBlock] = Field(
        min_length=1, description="one block per instrument, each with its driver"
    )
    paths: dict[str, dict[str, str]] = Field(default_factory=dict[str, dict[str, str]])
    laser_blocking: LaserBlocking | None = None
    safe_state: tuple[Reference, ...] = ()
    monitors: tuple[Monitor, ...] = ()
    interlocks: tuple[Interlock, ...] = ()
    rules: tuple[Rule, ...] = ()
    calibrations: dict[str, Calibration] = Field(default_factory=dict[str, Calibration])
    sample: Path | None = None
    simulate: World = World()
