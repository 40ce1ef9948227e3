"""Which of several measurements a product shows first."""

from labctl.storage._layouts import meaning_of


def test_spectra_before_pictures_before_calibrations() -> None:
    kinds = ["calibrate_laser_spot", "image", "spectrum", "calibrate_wavelength"]
    shown = sorted(kinds, key=lambda kind: meaning_of(kind).place)
    assert shown == ["spectrum", "image", "calibrate_laser_spot", "calibrate_wavelength"]
