"""The XML footer of an SPE 3.0 file, as far as pixels, regions and wavelengths need it."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "Footer", "parse_footer"]

_LIMIT_BYTES = 16 * 2**20
_DEEPEST = 100
_FORMATS = {
    "MonochromeUnsigned16": "<u2",
    "MonochromeUnsigned32": "<u4",
    "MonochromeFloating32": "<f4",
    "MonochromeFloating64": "<f8",
}


@dataclass(frozen=True)
class Block:
    """One region: its size in stored pixels, stride in bytes and place on the sensor."""

    width: int
    height: int
    stride: int
    x0: int
    y0: int
    binning: tuple[int, int]


@dataclass(frozen=True)
class Footer:
    """What the footer says; ``stride`` is the distance of frames in bytes."""

    dtype: str
    frames: int
    stride: int
    regions: tuple[Block, ...]
    wavelength_nm: NDArray[np.float64] | None
    metadata: dict[str, str]
    text: str


def parse_footer(content: bytes) -> Footer:
    """Parse the footer.

    Args:
        content: Everything from the XML offset to the end of the file, UTF-8.

    Raises:
        ValueError: If it is too large, declares a document type (which could expand
            without bound), is not well-formed or lacks the description of the pixels.
    """
    if len(content) > _LIMIT_BYTES:
        msg = f"XML footer of {len(content)} bytes"
        raise ValueError(msg)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        msg = "XML footer declares a document type"
        raise ValueError(msg)
    text = content.decode("utf-8-sig").rstrip("\x00 \r\n")
    try:
        root = ElementTree.fromstring(text)
        _check_depth(root)
    except ElementTree.ParseError as error:
        msg = f"XML footer: {error}"
        raise ValueError(msg) from error
    frame = _first(root, "DataFormat", "DataBlock")
    places = _sensor_mappings(root)
    regions = tuple(_block(block, places) for block in _children(frame, "DataBlock"))
    if not regions:
        msg = "XML footer names no region"
        raise ValueError(msg)
    return Footer(
        dtype=_FORMATS[frame.attrib["pixelFormat"]],
        frames=int(frame.attrib["count"]),
        stride=int(frame.attrib["stride"]),
        regions=regions,
        wavelength_nm=_wavelengths(root),
        metadata=_metadata(root),
        text=text,
    )


def _check_depth(root: ElementTree.Element) -> None:
    """Refuse elements within elements without end, which nobody could walk through."""
    level = [root]
    for _ in range(_DEEPEST):
        level = [child for element in level for child in element]
    if level:
        msg = f"XML footer of more than {_DEEPEST} levels"
        raise ValueError(msg)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (child for child in element if _name(child) == name)


def _first(element: ElementTree.Element, *path: str) -> ElementTree.Element:
    for name in path:
        found = next(_children(element, name), None)
        if found is None:
            msg = f"XML footer lacks {'/'.join(path)}"
            raise ValueError(msg)
        element = found
    return element


def _sensor_mappings(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    found = (e for e in root.iter() if _name(e) == "SensorMapping")
    return {e.attrib.get("id", ""): e for e in found}


def _block(block: ElementTree.Element, places: dict[str, ElementTree.Element]) -> Block:
    ids = [i.strip() for i in block.attrib.get("calibrations", "").split(",")]
    nothing: dict[str, str] = {}
    place = next((places[i].attrib for i in ids if i in places), nothing)
    width, height = int(block.attrib["width"]), int(block.attrib["height"])
    binning = int(place.get("xBinning", "1")), int(place.get("yBinning", "1"))
    x0, y0 = int(place.get("x", "0")), int(place.get("y", "0"))
    return Block(width, height, int(block.attrib["stride"]), x0, y0, binning)


def _wavelengths(root: ElementTree.Element) -> NDArray[np.float64] | None:
    found = _table(root)
    if found is not None and not np.isfinite(found).all():
        msg = "XML footer has wavelengths that are no numbers"
        raise ValueError(msg)
    return found


def _table(root: ElementTree.Element) -> NDArray[np.float64] | None:
    for mapping in (e for e in root.iter() if _name(e) == "WavelengthMapping"):
        for element in _children(mapping, "Wavelength"):
            return np.array([float(value) for value in (element.text or "").split(",")])
        for element in _children(mapping, "WavelengthError"):
            # Pairs "wavelength,error" separated by spaces.
            pairs = (element.text or "").split()
            return np.array([float(pair.split(",")[0]) for pair in pairs])
    return None


def _metadata(root: ElementTree.Element) -> dict[str, str]:
    """Return the text of each leaf below ``Devices`` and the identity of each device."""
    found: dict[str, str] = {}
    for part in (e for e in root.iter() if _name(e) in ("Devices", "System")):
        _collect(part, "", found)
    return found


def _collect(element: ElementTree.Element, path: str, found: dict[str, str]) -> None:
    for child in element:
        here = f"{path}/{_name(child)}" if path else _name(child)
        for key in ("model", "serialNumber"):
            if key in child.attrib:
                found[f"{here}/{key}"] = child.attrib[key]
        if child.text and child.text.strip():
            found.setdefault(here, child.text.strip())
        _collect(child, here, found)
