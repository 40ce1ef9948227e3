"""Long texts of a SpectraPro: the list of gratings and the dump of its stored set-up."""

from collections.abc import Mapping

from labctl_sim.princeton._spectrapro_drive import Drive, Grating

_SLOTS = range(1, 10)
_ARROW = "\x1a"

FOCAL_LENGTH_MM: Mapping[str, float] = {
    "SP-2-150i": 150.0,
    "SP-2-300i": 300.0,
    "SP-2-500i": 500.0,
    "SP-2-750i": 750.0,
}
_HALF_ANGLE_DEG: Mapping[str, float] = {
    "SP-2-150i": 24.66,
    "SP-2-300i": 15.15,
    "SP-2-500i": 8.6,
    "SP-2-750i": 6.55,
}


def grating_list(drive: Drive) -> str:
    """List nine slots, one line each; an arrow (0x1A) stands before the active one."""
    lines = [_slot(number, drive) for number in _SLOTS]
    return "\r\n" + "".join(f"{line}\r\n" for line in lines)


def stored_setup(drive: Drive, model: str) -> str:
    """Dump what the controller has stored: nominal optics, gratings, motor tables (about 4 kB)."""
    offsets = " ".join(str(drive.offsets[number]) for number in _SLOTS)
    adjusts = " ".join(["980000"] + ["1000000"] * 8)
    lines = [
        "",
        f"model {model}",
        f"turret {drive.turret}",
        f"grating {drive.grating}",
        *(_slot(number, drive) for number in _SLOTS),
        f"offset {offsets}",
        f"adjust {adjusts}",
        f"focal length {FOCAL_LENGTH_MM[model]:.0f}",
        f"half angle {_HALF_ANGLE_DEG[model]:.2f}",
        "detector angle 1.38",
        "gear 7 54",
        "backlash 25000",
        *(_motor_row(row) for row in range(64)),
    ]
    return "\r\n".join(lines) + "\r\n"


def _slot(number: int, drive: Drive) -> str:
    mark = _ARROW if number == drive.grating else " "
    grating = drive.gratings.get(number)
    if grating is None:
        return f"{mark}{number}  Not Installed     "
    return f"{mark}{number}{_described(grating)} "


def _described(grating: Grating) -> str:
    if grating.lines_per_mm <= 0.0:
        return "  Mirror"
    blaze = _blaze(grating.blaze_nm)
    return f"{grating.lines_per_mm:5.0f} g/mm BLZ={blaze}"


def _blaze(blaze_nm: float) -> str:
    if blaze_nm < 1000.0:
        return f"{blaze_nm:5.0f}NM"
    return f"{f'{blaze_nm / 1000.0:.2g}':>5}UM"


def _motor_row(row: int) -> str:
    steps = " ".join(f"{(row * 977 + column * 131) % 65536:5d}" for column in range(8))
    return f"motor {row:2d} {steps}"
