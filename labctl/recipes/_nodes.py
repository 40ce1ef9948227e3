"""The grammar of a recipe as frozen models: what stands in the file, checked for its form."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from labctl.measurements import Measurement
from labctl.setup import Amount
from labctl.units import FluenceUjCm2, Micrometers, Seconds, split_suffix

__all__ = [
    "CalibrateNode",
    "DotChoice",
    "DotsNode",
    "MeasureNode",
    "Node",
    "NoteNode",
    "OnError",
    "OnTimeout",
    "Range",
    "RecipeFile",
    "RepeatNode",
    "SampleChoice",
    "ScanNode",
    "Settle",
    "Values",
    "WaitNode",
]

OnError = Literal["abort", "skip"]
OnTimeout = Literal["skip", "abort", "flag"]


def _key(name: str) -> str:
    return split_suffix(name)[0]


class _Block(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_key, validate_by_name=False
    )


class Range(_Block):
    """Evenly spaced values, ends included.

    Attributes:
        start: First value.
        stop: Last value (not visited by a range of one value).
        num: Number of values.
        spacing: What is even: the value, its logarithm, or its inverse.
    """

    start: Amount = Field(description="like 'start: 4 K'")
    stop: Amount = Field(description="like 'stop: 90 K'")
    num: int = Field(ge=0, le=10_000_000, description="like 'num: 10'")
    spacing: Literal["linear", "log", "inverse"] = "linear"


def _form(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return "list"
    return "range" if isinstance(value, dict | Range) else None


Values = Annotated[
    Annotated[tuple[Amount, ...], Tag("list")] | Annotated[Range, Tag("range")],
    Discriminator(
        _form,
        custom_error_type="values_form",
        custom_error_message="must be a list or a range; write [4, 10, 20] or "
        "{start: 4 K, stop: 90 K, num: 10}",
    ),
]


class Settle(_Block):
    """When a slow quantity counts as arrived.

    Attributes:
        tolerance: Largest distance of the mean from the set point.
        std: Largest standard deviation; as ``tolerance`` if not given.
        dwell_s: How long both must hold, s (``for`` in the file).
        timeout_s: Longest time from the start of the change, s.
        poll_s: Time between readings, s.
        on_timeout: ``skip`` this value, ``abort`` the run, or measure and ``flag`` the points.
    """

    tolerance: Amount = Field(description="like 'tolerance: 50 mK'")
    std: Amount | None = None
    dwell_s: Seconds = Field(60.0, gt=0, alias="for")
    timeout_s: Seconds = Field(1800.0, gt=0)
    poll_s: Seconds = Field(2.0, gt=0)
    on_timeout: OnTimeout = "abort"


class Node(_Block):
    """A step as it stands in the file.

    Attributes:
        on_error: What an error in this step does to the run; None: as the recipe says.
    """

    on_error: OnError | None = None


class ScanNode(Node):
    """Give a settable one value after the other, and carry out the steps at each."""

    scan: str = Field(description="like 'scan: cryostat.temperature'")
    values: Values = Field(description="like 'values: [4 K, 10 K]'")
    settle: Settle | None = None
    steps: tuple[Node, ...] = Field(min_length=1, description="what to do at each value")

    @field_validator("scan")
    @classmethod
    def _names_a_settable(cls, scan: str) -> str:
        if scan.count(".") != 1:
            message = f"{scan!r} does not name a settable; write it like 'cryostat.temperature'"
            raise ValueError(message)
        return scan


class Repetition(_Block):
    """Number of times, and what to repeat."""

    times: int = Field(ge=0, le=10_000_000, description="like 'times: 3'")
    steps: tuple[Node, ...] = Field(min_length=1, description="what to repeat")


class RepeatNode(Node):
    """Carry out the steps several times."""

    repeat: Repetition


class DotChoice(_Block):
    """Which dots of the map before are gone to, and when one counts as gone.

    Attributes:
        at_most: Largest number of dots: the brightest ones.
        brightest_first: Their order; otherwise each is the nearest of those left.
        least_share: A dot that is dimmer than this share of its brightness on the map is left out;
            after a picture of a wide field, of what brightness there has meant for most dots.
        reach_um: How far from its place a dot is searched, um.
        most_dose_uj_cm2: A dot that has had more light than this in all runs, maps and wide fields
            included, is left out, uJ/cm² summed over pulses; None: none is.
        names: Only these, by the names of the catalogue; None: all.
    """

    at_most: int = Field(ge=1, le=100_000, description="like 'at_most: 20'")
    brightest_first: bool = True
    least_share: float = Field(default=0.3, ge=0, le=1)
    reach_um: Micrometers = Field(default=2.5, ge=0)
    most_dose_uj_cm2: FluenceUjCm2 | None = Field(None, gt=0, description="like '5 J/cm^2'")
    names: tuple[str, ...] | None = Field(None, min_length=1, description="like '[D003, D007]'")


class DotLoop(DotChoice):
    """Which dots, and what to do on each."""

    steps: tuple[Node, ...] = Field(min_length=1, description="what to do on each dot")


class DotsNode(Node):
    """Go to each dot that was found on a map earlier in the run, and carry out the steps there."""

    dots: DotLoop


class WaitNode(Node):
    """Let lab time pass."""

    wait_s: Seconds = Field(ge=0)


class NoteNode(Node):
    """Write a note into the file."""

    note: str


class MeasureNode(Node):
    """Take one point."""

    measurement: Measurement
    label: str = ""


class CalibrateNode(MeasureNode):
    """Take a calibration: a measurement whose result goes into its own dated file."""


class SampleChoice(_Block):
    """The sample and dot that the recipe is meant for; empty: whatever is there."""

    name: str = ""
    dot: str = ""


class RecipeFile(_Block):
    """A recipe file.

    Attributes:
        name: Name in the user's words.
        description: More of them.
        experiment: Id of the experiment that the analysis shall evaluate, e.g. ``E04``.
        sample: Sample and dot.
        on_error: ``abort`` the run or ``skip`` the step that failed.
        given: What the analysis is told from outside: a number, with its error if it has one.
        steps: What to do, in order.
    """

    schema_version: Literal[1] = 1
    name: str = Field(min_length=1, description="like 'name: temperature series'")
    description: str = ""
    experiment: str = Field("", pattern=r"^(E\d\d)?$", description="like 'E04'")
    sample: SampleChoice = SampleChoice()
    on_error: OnError = "abort"
    given: dict[str, str] = Field(default_factory=dict, description="like '0.77 ± 0.02'")
    steps: tuple[Node, ...] = Field(description="what to do, a list")
