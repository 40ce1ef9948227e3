"""What is measured: calibrations once, then a survey of each batch."""

from dataclasses import dataclass

__all__ = ["Wanted", "calibrations", "survey"]

_CALIBRATIONS = """
name: calibrations before surveys
steps:
  - calibrate: {kind: power}
  - calibrate: {kind: imaging_scale, exposure: 50 ms, roi: [512, 256, 384, 256]}
  - calibrate: {kind: step_sizes, exposure: 50 ms, roi: [512, 256, 384, 256], ways: 6}
  - calibrate: {kind: laser_spot, exposure: 5 ms, roi: [560, 192, 400, 192]}
  - irf: {grating: 300/mm, stop: {counts: 300000, at_most: 60 s}}
"""
_SURVEY = """
name: survey of a batch
sample: {{name: "{sample}", dot: {dot}}}
steps:
  - scan: attenuator.fluence
    values: [12 uJ/cm^2]
    steps:
      - wide_field:
          {{exposure: 0.9 s, frames: {frames}, roi: [416, 480, 256, 480],
          grating: 0/mm, wavelength: 0 nm}}
  - scan: attenuator.fluence
    values: [{fluence:.3g} uJ/cm^2]
    steps:
      - dots:
          at_most: {dots}
          brightest_first: {brightest}
          steps:
            - spectrum: {{grating: 300/mm, center: 520 nm, exposure: 1 s, frames: 3}}
            - trpl: {{grating: 300/mm, at_peak: true, stop: {{counts: 20000, at_most: 60 s}}}}
            - g2: {{grating: 300/mm, at_peak: true, stop: {{counts: 200000, at_most: 10 s}}}}
"""
_EDGE_NM = {
    "cspbbr3_7nm": 7.0,
    "cspbbr3_9nm": 9.0,
    "cspbbr3_13nm": 13.0,
    "cspbbr3_16nm": 16.0,
    "cspbbr3_23nm": 23.0,
    "cspbbr3_30nm": 30.0,
    "cspbbrcl3_30nm": 30.0,
}
_ONE_UJ_CM2, _AT_NM = 0.85, 30.0
"""One excitation per pulse on the average; in proportion to the volume at other sizes."""
_WANTED, _MOST_UJ_CM2 = 0.5, 12.0
_FRAMES_AT_NM, _FEWEST_FRAMES = (300, 7.0), 4
"""Dim dots need longer; noise of the background falls with the root of the number."""


def calibrations() -> str:
    """Return the recipe of what all surveys rest on."""
    return _CALIBRATIONS


@dataclass(frozen=True)
class Wanted:
    """What is asked of a survey.

    Attributes:
        batch: Name of the batch.
        sample: Name of the sample.
        dot: The dot in the spot when it begins.
        dots: Largest number of dots that are gone to.
        brightest_first: Their order; otherwise a short way.
        patience: Share of the usual time for the picture in which dots are found.
    """

    batch: str
    sample: str
    dot: str
    dots: int
    brightest_first: bool = False
    patience: float = 1.0


def survey(wanted: Wanted) -> str:
    """Return the recipe of a survey: fluence and exposure as the size of the dots asks for."""
    edge_nm = _EDGE_NM[wanted.batch]
    fluence = min(_WANTED * _ONE_UJ_CM2 * (_AT_NM / edge_nm) ** 3, _MOST_UJ_CM2)
    number, at_nm = _FRAMES_AT_NM
    frames = round(wanted.patience * number * (at_nm / edge_nm) ** 6)
    return _SURVEY.format(
        sample=wanted.sample,
        dot=wanted.dot,
        dots=wanted.dots,
        fluence=fluence,
        frames=max(_FEWEST_FRAMES, frames),
        brightest=str(wanted.brightest_first).lower(),
    )
