"""SPE files: a recorded one, and synthetic ones of both versions, whole and damaged."""

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import StorageError
from labctl.optics import read_spe

HEADER = 4100
NAMESPACE = "http://www.princetoninstruments.com/spe/2009"


def header(**fields: float) -> bytearray:
    content = bytearray(HEADER)
    places = {
        "width": ("<H", 42),
        "kind": ("<h", 108),
        "height": ("<H", 656),
        "footer": ("<Q", 678),
        "frames": ("<i", 1446),
        "version": ("<f", 1992),
    }
    for name, value in fields.items():
        code, offset = places[name]
        struct.pack_into(code, content, offset, value)
    return content


def version_3(footer: str, pixels: bytes) -> bytes:
    return bytes(header(version=3.0, footer=HEADER + len(pixels))) + pixels + footer.encode()


TWO_REGIONS = f"""<SpeFormat version="3.0" xmlns="{NAMESPACE}"><DataFormat>
<DataBlock type="Frame" count="2" pixelFormat="MonochromeUnsigned16" size="16" stride="24">
<DataBlock type="Region" calibrations="1,2" width="3" height="2" size="12" stride="12"/>
<DataBlock type="Region" calibrations="1,3" width="2" height="1" size="4" stride="4"/>
</DataBlock></DataFormat><Calibrations>
<WavelengthMapping><Wavelength>500,501,502,503,504,505,506,507</Wavelength></WavelengthMapping>
<SensorMapping id="2" x="1" y="0" width="3" height="2" xBinning="1" yBinning="1"/>
<SensorMapping id="3" x="4" y="7" width="4" height="1" xBinning="2" yBinning="1"/>
</Calibrations></SpeFormat>"""


def test_the_recorded_file(shared: Path) -> None:
    spe = read_spe(shared / "realdata" / "proem_sp2500_150g.spe")
    (region,) = spe.regions
    assert spe.version == 3.0
    assert region.frames.shape == (1, 1, 512)
    assert region.frames.sum(dtype=np.float64) == pytest.approx(3307526.997, abs=1e-3)
    assert (region.x0, region.y0, region.binning) == (0, 242, (1, 30))
    assert region.wavelength_nm is not None
    ends = region.wavelength_nm[[0, -1]]
    np.testing.assert_allclose(ends, [546.1321781934, 653.9910578694], atol=1e-10)
    assert spe.metadata["Cameras/Camera/Adc/EMGain"] == "1"
    assert spe.metadata["Spectrometers/Spectrometer/Grating/CenterWavelength"] == "600"
    assert spe.metadata["Spectrometers/Spectrometer/model"] == "SP-2-500i"
    assert spe.xml.endswith("</SpeFormat>")


def test_two_regions_and_frames_with_time_stamps(tmp_path: Path) -> None:
    first = np.arange(8, dtype="<u2").tobytes() + b"8-bytes!"
    second = np.arange(100, 108, dtype="<u2").tobytes() + b"8-bytes!"
    path = tmp_path / "two.spe"
    path.write_bytes(version_3(TWO_REGIONS, first + second))
    wide, narrow = read_spe(path).regions
    np.testing.assert_array_equal(wide.frames[1], [[100, 101, 102], [103, 104, 105]])
    np.testing.assert_array_equal(narrow.frames, [[[6, 7]], [[106, 107]]])
    assert wide.wavelength_nm is not None
    np.testing.assert_array_equal(wide.wavelength_nm, [501, 502, 503])
    assert narrow.wavelength_nm is not None
    np.testing.assert_array_equal(narrow.wavelength_nm, [504.5, 506.5])


@pytest.mark.parametrize(
    ("kind", "dtype"), [(0, "<f4"), (1, "<i4"), (2, "<i2"), (3, "<u2"), (5, "<f8"), (8, "<u4")]
)
def test_version_2(tmp_path: Path, kind: int, dtype: str) -> None:
    content = header(version=2.5, width=4, height=2, frames=3, kind=kind)
    struct.pack_into("<6d", content, 3263, 500.0, 0.1, 0.0, 0.0, 0.0, 0.0)
    pixels = np.arange(24).astype(dtype)
    path = tmp_path / "old.spe"
    path.write_bytes(bytes(content) + pixels.tobytes() + b"trailing")
    (region,) = read_spe(path).regions
    np.testing.assert_array_equal(region.frames, pixels.reshape(3, 2, 4))
    assert region.wavelength_nm is not None
    np.testing.assert_allclose(region.wavelength_nm, [500.1, 500.2, 500.3, 500.4])


DAMAGED = {
    "empty": b"",
    "short": bytes(HEADER - 1),
    "unknown version": bytes(header(version=7.0)),
    "no pixels": bytes(header(version=2.0, width=0, height=1, frames=1)),
    "pixels missing": bytes(header(version=2.0, width=9, height=9, frames=9)),
    "unknown pixel type": bytes(header(version=2.0, width=1, height=1, frames=1, kind=77)) + b"12",
    "footer outside": bytes(header(version=3.0, footer=10**12)),
    "footer not XML": version_3("<SpeFormat><", bytes(8)),
    "footer not text": bytes(header(version=3.0, footer=HEADER + 2)) + b"ab\xff\xfe\xff",
    "no data format": version_3("<SpeFormat/>", bytes(8)),
    "too many frames": version_3(
        TWO_REGIONS.replace('count="2"', 'count="99999999999"'), bytes(48)
    ),
    "negative stride": version_3(TWO_REGIONS.replace('stride="24"', 'stride="-24"'), bytes(48)),
    "region too large": version_3(TWO_REGIONS.replace('width="3"', 'width="3000"'), bytes(48)),
    "entities": version_3("<!DOCTYPE a [<!ENTITY b 'c'>]><SpeFormat/>", bytes(8)),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "damaged.spe"
    path.write_bytes(DAMAGED[name])
    with pytest.raises(StorageError, match=r"damaged\.spe"):
        read_spe(path)


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_bytes_changed_anywhere_give_a_file_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, place: int, noise: bytes
) -> None:
    content = bytearray(version_3(TWO_REGIONS, bytes(48)))
    at = place % len(content)
    content[at : at + len(noise)] = noise
    path = tmp_path_factory.mktemp("spe") / "noise.spe"
    path.write_bytes(bytes(content))
    with contextlib.suppress(StorageError):
        assert read_spe(path).regions
