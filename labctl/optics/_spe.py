"""Reader of SPE files, versions 2.x (WinSpec) and 3.0 (LightField).

Offsets: Princeton Instruments, "SPE 3.0 File Format Specification", issue 1 rev A, and the
header table of WinSpec.  In version 3 the XML at the end of the file describes the pixels;
the binary header only says where it is.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labctl.errors import StorageError
from labctl.optics._spe_xml import Block, Footer, parse_footer

__all__ = ["SpeFile", "SpeRegion", "read_spe"]

_HEADER_BYTES = 4100
_LIMIT_BYTES = 4 * 2**30
_PIXEL_TYPES = {0: "<f4", 1: "<i4", 2: "<i2", 3: "<u2", 5: "<f8", 6: "<u1", 8: "<u4"}


@dataclass(frozen=True)
class SpeRegion:
    """One region of interest of all frames.

    Attributes:
        frames: Pixels as stored, shape (frame, row, column), unit counts.
        x0: First column on the sensor.
        y0: First row on the sensor.
        binning: Sensor columns and rows per pixel.
        wavelength_nm: At each column, shape (column,); None if not calibrated.
    """

    frames: NDArray[np.generic]
    x0: int
    y0: int
    binning: tuple[int, int]
    wavelength_nm: NDArray[np.float64] | None


@dataclass(frozen=True)
class SpeFile:
    """Content of an SPE file.

    Attributes:
        version: 2.x or 3.0.
        regions: At least one region of interest.
        sensor_wavelength_nm: Wavelength of each column of the whole sensor (version 3).
        metadata: Settings of camera and spectrometer by their path in the XML, such as
            ``"Cameras/Camera/Adc/EMGain"``; empty for version 2.
        xml: The whole XML footer, to be archived; empty for version 2.
    """

    version: float
    regions: tuple[SpeRegion, ...]
    sensor_wavelength_nm: NDArray[np.float64] | None
    metadata: Mapping[str, str]
    xml: str


def read_spe(path: Path) -> SpeFile:
    """Read an SPE file.

    Raises:
        StorageError: If the file is not an SPE file, is damaged, or is larger than 4 GiB.
        OSError: If it cannot be opened.
    """
    if path.stat().st_size > _LIMIT_BYTES:
        msg = f"{path.name}: larger than {_LIMIT_BYTES} bytes"
        raise StorageError(msg)
    content = path.read_bytes()
    if len(content) < _HEADER_BYTES:
        msg = f"{path.name}: {len(content)} bytes are less than the header of an SPE file"
        raise StorageError(msg)
    (version,) = struct.unpack_from("<f", content, 1992)
    try:
        if 2.0 <= version < 3.0:
            return _read_v2(content, version)
        if 3.0 <= version < 4.0:
            return _read_v3(content, version)
    except (ValueError, KeyError, struct.error) as error:
        msg = f"{path.name}: damaged SPE {version:g} file: {error}"
        raise StorageError(msg) from error
    msg = f"{path.name}: version {version:g} is neither SPE 2.x nor 3.0"
    raise StorageError(msg)


def _read_v2(content: bytes, version: float) -> SpeFile:
    (width,) = struct.unpack_from("<H", content, 42)
    (height,) = struct.unpack_from("<H", content, 656)
    (count,) = struct.unpack_from("<i", content, 1446)
    (kind,) = struct.unpack_from("<h", content, 108)
    dtype = np.dtype(_PIXEL_TYPES[kind])
    pixels = count * height * width
    if pixels <= 0:
        msg = f"{count} frames of {width} x {height} pixels"
        raise ValueError(msg)
    frames = np.frombuffer(content, dtype, pixels, _HEADER_BYTES).reshape(count, height, width)
    coefficients = np.array(struct.unpack_from("<6d", content, 3263))
    wavelength = None
    if np.any(coefficients[1:] != 0) and np.all(np.isfinite(coefficients)):
        # WinSpec counts pixels from 1.
        columns = np.arange(1, width + 1, dtype=np.float64)
        with np.errstate(all="ignore"):
            wavelength = np.vander(columns, 6, increasing=True) @ coefficients
        if not np.isfinite(wavelength).all():
            msg = f"calibration {coefficients.tolist()}"
            raise ValueError(msg)
    region = SpeRegion(frames, 0, 0, (1, 1), wavelength)
    return SpeFile(version, (region,), wavelength, {}, "")


def _read_v3(content: bytes, version: float) -> SpeFile:
    (offset,) = struct.unpack_from("<Q", content, 678)
    if not _HEADER_BYTES <= offset < len(content):
        msg = f"XML offset {offset} lies outside the file"
        raise ValueError(msg)
    footer = parse_footer(content[offset:])
    if not 0 < footer.frames * footer.stride <= offset - _HEADER_BYTES:
        msg = f"{footer.frames} frames of {footer.stride} bytes do not fit the file"
        raise ValueError(msg)
    regions: list[SpeRegion] = []
    start = 0
    for block in footer.regions:
        frames = _frames(content, footer, block, start)
        regions.append(SpeRegion(frames, block.x0, block.y0, block.binning, _slice(footer, block)))
        start += block.stride
    return SpeFile(version, tuple(regions), footer.wavelength_nm, footer.metadata, footer.text)


def _frames(content: bytes, footer: Footer, block: Block, start: int) -> NDArray[np.generic]:
    """Gather one region out of frames that may hold several and end in time stamps."""
    dtype = np.dtype(footer.dtype)
    size = block.width * block.height * dtype.itemsize
    if not 0 < size <= block.stride or start + size > footer.stride:
        msg = f"region of {size} bytes does not fit its stride {block.stride}"
        raise ValueError(msg)
    out = np.empty((footer.frames, block.height, block.width), dtype)
    for k in range(footer.frames):
        at = _HEADER_BYTES + k * footer.stride + start
        flat = np.frombuffer(content, dtype, block.width * block.height, at)
        out[k] = flat.reshape(block.height, block.width)
    return out


def _slice(footer: Footer, block: Block) -> NDArray[np.float64] | None:
    """Return the region's part of the sensor's wavelengths, averaged over the binning."""
    table, bins = footer.wavelength_nm, block.binning[0]
    if table is None:
        return None
    if table.size == block.width:
        return table
    part = table[block.x0 : block.x0 + block.width * bins]
    if part.size != block.width * bins:
        return None
    return part.reshape(-1, bins).mean(axis=1)
