"""What the four modules can do, from the vendor's headers, manuals and demos.

Numbers that no text at hand gave (sizes of buffers, sustained rates) are marked assumed.
"""

from dataclasses import dataclass, field

from labctl_sim.picoquant._records import HYDRA, PICOHARP, Format

__all__ = ["HYDRAHARP_400", "MULTIHARP_150", "PICOHARP_300", "PICOHARP_330", "Model"]

_MEGA = 1 << 20


@dataclass(frozen=True)
class Model:
    """One kind of module.

    Attributes:
        prefix: Of the library's functions.
        inputs: Besides the sync input.
        cfd_mv: Lowest and highest discriminator level; None: edge trigger only.
        zero_cross_mv: Lowest and highest zero crossing.
        edge_mv: Lowest and highest level of an edge trigger; None: there is none.
        offset_ps: Largest channel offset, either sign.
        measure_offset: Largest measurement offset in the library's unit.
        measure_offset_ps: That unit.
        length_codes: Largest code of the histogram's length 1024 * 2^code.
        default_length: Code after Initialize.
        fifo: Records that fit into the module.
        read_most: Most records of one read.
        read_least: A read asks for at least so many, by a buffer size; 0: it does not.
        sustained_mhz: Million records per second to the computer.
        hold_ms: Overflows are gathered so long after Initialize.
        rms_ps: Timing uncertainty.
        features: Bits of GetFeatures: library 0x1, time tags 0x2, markers 0x4, long range 0x8,
            trigger output 0x10, dead times 0x20, hysteresis 0x80; not among them are an external
            FPGA 0x40 and an event filter 0x100.
        holdoff_ns: Longest hold-off of the markers.
    """

    prefix: str
    name: str
    part: str
    hardware: str
    library: str
    serial: str
    inputs: int
    base_ps: int
    bin_steps: int
    sync_dividers: tuple[int, ...]
    cfd_mv: tuple[int, int] | None
    zero_cross_mv: tuple[int, int]
    edge_mv: tuple[int, int] | None
    measure_offset: int
    measure_offset_ps: int
    length_codes: int
    default_length: int
    fifo: int
    read_most: int
    sustained_mhz: float
    dead_ps: int
    rms_ps: float
    top_sync_mhz: float
    top_input_mhz: float
    form: Format = HYDRA
    hold_ms: int = 2
    read_least: int = 0
    offset_ps: int = 99999
    modes: tuple[int, ...] = (0, 2, 3)
    features: int = 0xB7
    holdoff_ns: int = 25_500
    flags: dict[str, int] = field(
        default_factory=lambda: {
            "overflow": 0x1,
            "fifo_full": 0x2,
            "sync_lost": 0x4,
            "reference_lost": 0x8,
            "system_error": 0x10,
            "active": 0x20,
        }
    )


PICOHARP_300 = Model(
    prefix="PH",
    name="PicoHarp 300",
    part="930004",
    hardware="2.0",
    library="3.0",
    serial="1001234",
    inputs=1,
    base_ps=4,
    bin_steps=8,
    sync_dividers=(1, 2, 4, 8),
    cfd_mv=(0, 800),
    zero_cross_mv=(0, 20),
    edge_mv=None,
    measure_offset=1_000_000_000,
    measure_offset_ps=1,
    length_codes=6,
    default_length=6,
    fifo=262144,
    read_most=131072,
    sustained_mhz=5.0,
    dead_ps=95_000,
    rms_ps=12.0,
    top_sync_mhz=84.0,
    top_input_mhz=10.0,
    form=PICOHARP,
    hold_ms=0,
    features=0x7,
    holdoff_ns=210_480,
    flags={"fifo_full": 0x3, "overflow": 0x40, "system_error": 0x100},
)
"""Sustained rate assumed."""

HYDRAHARP_400 = Model(
    prefix="HH",
    name="HydraHarp 400",
    part="930010",
    hardware="2.0",
    library="3.0",
    serial="1035683",
    inputs=2,
    base_ps=1,
    bin_steps=26,
    sync_dividers=(1, 2, 4, 8, 16),
    cfd_mv=(0, 1000),
    zero_cross_mv=(0, 40),
    edge_mv=None,
    measure_offset=500_000,
    measure_offset_ps=1000,
    length_codes=6,
    default_length=6,
    fifo=2 * _MEGA,
    read_most=131072,
    read_least=128,
    sustained_mhz=40.0,
    dead_ps=80_000,
    rms_ps=12.0,
    top_sync_mhz=150.0,
    top_input_mhz=40.0,
    features=0x7,
    holdoff_ns=524_296,
)
"""Continuous mode (8) is refused: it needs an external control signal for each block."""

MULTIHARP_150 = Model(
    prefix="MH",
    name="MultiHarp 150 4N",
    part="930041",
    hardware="1.0",
    library="3.1",
    serial="1044785",
    inputs=4,
    base_ps=5,
    bin_steps=24,
    sync_dividers=(1, 2, 4, 8, 16),
    cfd_mv=None,
    zero_cross_mv=(0, 0),
    edge_mv=(-1200, 1200),
    measure_offset=100_000_000,
    measure_offset_ps=1000,
    length_codes=6,
    default_length=6,
    fifo=128 * _MEGA,
    read_most=_MEGA,
    sustained_mhz=85.0,
    dead_ps=650,
    rms_ps=45.0,
    top_sync_mhz=75.0,
    top_input_mhz=80.0,
)
"""Size of the buffer and timing uncertainty assumed."""

PICOHARP_330 = Model(
    prefix="PH330",
    name="PicoHarp 330",
    part="930051",
    hardware="1.0",
    library="2.0",
    serial="1055001",
    inputs=2,
    base_ps=1,
    bin_steps=24,
    sync_dividers=(1, 2, 4, 8),
    cfd_mv=(-1500, 0),
    zero_cross_mv=(-100, 0),
    edge_mv=(-1500, 1500),
    measure_offset=100_000_000,
    measure_offset_ps=1000,
    length_codes=9,
    default_length=6,
    fifo=128 * _MEGA,
    read_most=_MEGA,
    sustained_mhz=85.0,
    dead_ps=680,
    rms_ps=3.0,
    top_sync_mhz=75.0,
    top_input_mhz=80.0,
)
"""Size of the buffer, dead time, timing uncertainty, features and hold-off assumed."""
