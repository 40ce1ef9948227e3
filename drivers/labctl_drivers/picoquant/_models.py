"""What the four libraries can be told, model by model.

Source: the vendor's headers ``phdefin.h`` 3.0, ``hhdefin.h`` 3.0, ``mhdefin.h`` 3.1 and that of
PH330Lib 2.0, and the modules' manuals. What no text at hand gave is marked assumed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from labctl.photons import RecordType
from labctl.roles import Limits

__all__ = [
    "BY_PREFIX",
    "HYDRAHARP_400",
    "MULTIHARP_150",
    "PICOHARP_300",
    "PICOHARP_330",
    "Module",
    "Trigger",
]

Trigger = Literal["edge", "cfd"]

_OFFSET_PS = Limits(-99_999, 99_999)
_HYDRA_FLAGS: Mapping[str, int] = {
    "overflow": 0x1,
    "fifo_full": 0x2,
    "sync_lost": 0x4,
    "reference_lost": 0x8,
    "system_error": 0x10,
}


@dataclass(frozen=True)
class Module:
    """One kind of module and its library.

    Attributes:
        name: As people call it.
        prefix: Of the library's functions.
        hardware: ``HW_Type`` of PTU files.
        libraries: File names on Linux and the like.
        dlls: File names on 64-bit and on 32-bit Windows.
        versions: Versions of the library with these prototypes; what comes first is the one that
            this driver is written for. Another first number means other functions.
        model_characters: Size of the buffer for the model's name.
        most_inputs: Besides the sync input, in the largest variant.
        has_reference: Whether Initialize takes a clock source.
        calibrates: Whether there is a Calibrate, due after each Initialize.
        triggers: Kinds of trigger; the first is the usual one.
        cfd_mv: Level of the discriminator, mV.
        zero_cross_mv: Its zero crossing, mV.
        edge_mv: Level of the edge trigger, mV.
        defaults_mv: Level and zero crossing that are used if the set-up names none, by trigger.
        dividers: Sync dividers.
        sync_offset_ps: Offset of the sync, ps.
        input_offset_ps: Offset of an input, ps.
        axis_unit_ps: Unit in which the library takes the start of the delay axis, ps.
        axis_limit_ps: Its largest value, ps.
        dead_ps: Programmable dead time, ps; None: there is none.
        own_dead_ns: Documented dead time of an input, ns.
        holds_overflows: Whether overflows can be gathered in the hardware (SetOflCompression).
        switches_sync: Whether the sync input can be switched off (SetSyncChannelEnable).
        optional: Functions that libraries before the newest of these versions lack.
        read_records: Records of one read.
        reads_counted: Whether ReadFiFo is told how many.
        fifo_records: Records that fit into the module.
        flags: Bits of GetFlags by the role's names.
        records: Kind of records in T2 and T3.
        counts_sync_as_input: Whether the functions take the sync as input 0, as PHLib does, and
            have none of its own.
    """

    name: str
    prefix: str
    hardware: str
    libraries: tuple[str, ...]
    dlls: tuple[str, str]
    versions: tuple[str, ...]
    most_inputs: int
    triggers: tuple[Trigger, ...]
    cfd_mv: Limits
    zero_cross_mv: Limits
    edge_mv: Limits
    defaults_mv: Mapping[Trigger, tuple[int, int]]
    dividers: tuple[int, ...]
    input_offset_ps: Limits
    axis_unit_ps: int
    axis_limit_ps: float
    own_dead_ns: float
    read_records: int
    fifo_records: int
    flags: Mapping[str, int]
    records: tuple[RecordType, RecordType]
    counts_sync_as_input: bool = False
    has_reference: bool = True
    calibrates: bool = False
    holds_overflows: bool = False
    switches_sync: bool = False
    optional: frozenset[str] = frozenset()
    reads_counted: bool = False
    dead_ps: Limits | None = None
    model_characters: int = 24
    sync_offset_ps: Limits = _OFFSET_PS


PICOHARP_300 = Module(
    name="PicoHarp 300",
    prefix="PH",
    hardware="PicoHarp 300",
    libraries=("libph300.so", "phlib.so"),
    dlls=("phlib64.dll", "phlib.dll"),
    versions=("3.0",),
    most_inputs=1,
    triggers=("cfd",),
    cfd_mv=Limits(0, 800),
    zero_cross_mv=Limits(0, 20),
    edge_mv=Limits(0, 0),
    defaults_mv={"cfd": (50, 10)},
    dividers=(1, 2, 4, 8),
    # Offsets of inputs exist behind a router only.
    input_offset_ps=Limits(0, 0),
    axis_unit_ps=1,
    axis_limit_ps=1e9,
    own_dead_ns=95.0,
    read_records=131_072,
    fifo_records=262_144,
    flags={"fifo_full": 0x3, "overflow": 0x40, "system_error": 0x100},
    records=(RecordType.PICOHARP_T2, RecordType.PICOHARP_T3),
    counts_sync_as_input=True,
    has_reference=False,
    calibrates=True,
    reads_counted=True,
    model_characters=16,
)

HYDRAHARP_400 = Module(
    name="HydraHarp 400",
    prefix="HH",
    hardware="HydraHarp 400",
    libraries=("libhh400.so", "hhlib.so"),
    dlls=("hhlib64.dll", "hhlib.dll"),
    versions=("3.0",),
    most_inputs=8,
    triggers=("cfd",),
    cfd_mv=Limits(0, 1000),
    zero_cross_mv=Limits(0, 40),
    edge_mv=Limits(0, 0),
    defaults_mv={"cfd": (50, 10)},
    dividers=(1, 2, 4, 8, 16),
    input_offset_ps=_OFFSET_PS,
    axis_unit_ps=1000,
    axis_limit_ps=500_000e3,
    own_dead_ns=80.0,
    read_records=131_072,
    fifo_records=2 * 1024**2,
    flags=_HYDRA_FLAGS,
    records=(RecordType.HYDRAHARP2_T2, RecordType.HYDRAHARP2_T3),
    calibrates=True,
    reads_counted=True,
)

MULTIHARP_150 = Module(
    name="MultiHarp 150 or 160",
    prefix="MH",
    hardware="MultiHarp",
    libraries=("libmh150.so", "libmhlib.so", "mhlib.so"),
    dlls=("mhlib64.dll", "mhlib.dll"),
    versions=("3.1", "4.0"),
    most_inputs=64,
    triggers=("edge",),
    cfd_mv=Limits(0, 0),
    zero_cross_mv=Limits(0, 0),
    edge_mv=Limits(-1200, 1200),
    defaults_mv={"edge": (-50, 0)},
    dividers=(1, 2, 4, 8, 16),
    input_offset_ps=_OFFSET_PS,
    axis_unit_ps=1000,
    axis_limit_ps=100_000_000e3,
    own_dead_ns=0.65,
    read_records=1_048_576,
    fifo_records=128 * 1024**2,
    flags={**_HYDRA_FLAGS, "counts_dropped": 0x40},
    records=(RecordType.GENERIC_T2, RecordType.GENERIC_T3),
    holds_overflows=True,
    switches_sync=True,
    optional=frozenset({"SetSyncChannelEnable", "SetOflCompression"}),
    dead_ps=Limits(800, 160_000),
)
"""Size of the buffer assumed."""

PICOHARP_330 = Module(
    name="PicoHarp 330",
    prefix="PH330",
    hardware="PicoHarp330",
    libraries=("libph330.so", "ph330lib.so"),
    dlls=("ph330lib.dll", "ph330lib.dll"),
    versions=("2.0",),
    most_inputs=4,
    triggers=("edge", "cfd"),
    cfd_mv=Limits(-1500, 0),
    zero_cross_mv=Limits(-100, 0),
    edge_mv=Limits(-1500, 1500),
    defaults_mv={"edge": (-50, 0), "cfd": (-50, -20)},
    dividers=(1, 2, 4, 8),
    input_offset_ps=_OFFSET_PS,
    axis_unit_ps=1000,
    axis_limit_ps=100_000_000e3,
    own_dead_ns=0.68,
    read_records=1_048_576,
    fifo_records=128 * 1024**2,
    flags={**_HYDRA_FLAGS, "counts_dropped": 0x40, "system_error": 0x10 | 0x80},
    records=(RecordType.GENERIC_T2, RecordType.GENERIC_T3),
    holds_overflows=True,
    switches_sync=True,
    dead_ps=Limits(800, 160_000),
)
"""Size of the buffer and dead time assumed."""

BY_PREFIX: Mapping[str, Module] = {
    module.prefix: module for module in (PICOHARP_300, HYDRAHARP_400, MULTIHARP_150, PICOHARP_330)
}
