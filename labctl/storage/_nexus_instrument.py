"""Sample, light and instruments in the product, as NXoptical_spectroscopy names them."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from labctl.storage._h5 import H5Group
from labctl.storage._index import Group, RunIndex
from labctl.storage._layouts import OPEN_ENUMERATION_WORDS, meaning_of
from labctl.storage._names import identifier
from labctl.storage._nexus_data import detector_of
from labctl.units import parse


def write_instrument(entry: H5Group, index: RunIndex) -> H5Group:
    """Write light source and beams; detectors and sensors follow when their data are known."""
    setup = mapping(index.start.get("setup"))
    laser = mapping(setup.get("laser"))
    instrument = entry.child("instrument", "NXinstrument")
    if setup.get("name"):
        instrument.text("name", str(setup["name"]))
    software = instrument.child("software_labctl", "NXprogram")
    software.text("program", "labctl", version=str(index.start.get("labctl_version", "")))
    excitation = instrument.child("beam_excitation", "NXbeam")
    excitation.text("parameter_reliability", "nominal")
    _quantity(excitation, "incident_wavelength", laser, "wavelength", "nm")
    diameter_um = quantity(laser, "spot_1e2_diameter", "um")
    if diameter_um is not None:
        excitation.array("extent", np.array([diameter_um, diameter_um]), "um")
    _scanned(excitation, "fluence", index, ".fluence", "uJ/cm^2")
    instrument.child("beam_emission", "NXbeam").text("parameter_reliability", "nominal")
    if laser:
        source = instrument.child("source_laser", "NXsource")
        source.text("name", "laser")
        source.text("type", "Laser")
        source.text("associated_beam", excitation.path)
        _quantity(source, "frequency", laser, "rep_rate", "Hz")
        _quantity(source, "pulse_width", laser, "pulse_width", "s")
    return instrument


def write_readings(entry: H5Group, instrument: H5Group, index: RunIndex) -> None:
    """Write thermometers, temperature control, stage and monochromator."""
    _write_temperatures(entry, instrument, index)
    _write_stage(instrument, index)
    _write_monochromator(instrument, index)


def write_detectors(instrument: H5Group, index: RunIndex) -> None:
    """Describe the detectors whose raw data have been created; at least one is described."""
    by_detector: dict[str, list[Group]] = {}
    for group in index.groups.values():
        by_detector.setdefault(detector_of(index, group), []).append(group)
    for name, groups in (by_detector or {"camera": []}).items():
        meanings = [meaning_of(group.measurement) for group in groups] or [meaning_of("spectrum")]
        known = next((meaning for meaning in meanings if meaning.detector_type), meanings[0])
        detector = instrument.child(f"detector_{name}", "NXdetector")
        detector.text(
            "detector_channel_type", "multichannel" if known.multichannel else "single-channel"
        )
        if known.detector_type in OPEN_ENUMERATION_WORDS:
            detector.text("detector_type", known.detector_type)
        elif known.detector_type:
            detector.text("detector_type", known.detector_type)
            detector.mark_field("detector_type", custom=np.bool_(True))
        detector.text("local_name", name)
        rows = sorted(row for group in groups for row in group.rows)
        if rows:
            detector.array("count_time", index.points.array("live_time_s")[rows], "s")
        gain = index.points.find(f"{name}.em_gain", "setting")
        if gain is not None and rows:
            # The definition wants words here.
            detector.array("gain_setting", index.points.array(gain)[rows].astype(np.str_), "")
        _fabrication(detector, index, name)


def write_sample(entry: H5Group, index: RunIndex) -> None:
    """Write what the recipe and the set-up say about the sample."""
    given = mapping(index.start.get("sample"))
    sample = entry.child("sample", "NXsample")
    sample.text("name", str(given.get("name") or "unknown"))
    if given.get("dot"):
        sample.text("sample_id", str(given["dot"]))
    for name in ("chemical_formula", "substrate", "physical_form", "description"):
        if given.get(name):
            sample.text(name, str(given[name]))


def mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping, empty if the value is none."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def quantity(values: Mapping[str, Any], name: str, unit: str) -> float | None:
    """Return a quantity that a resolved set-up writes as text, or None."""
    value = values.get(name)
    if not isinstance(value, str):
        return None
    try:
        return parse(value, unit)
    except ValueError:
        return None


def _quantity(group: H5Group, field: str, values: Mapping[str, Any], name: str, unit: str) -> None:
    value = quantity(values, name, unit)
    if value is not None:
        group.number(field, value, unit)


def _columns_where(
    index: RunIndex, wanted: Callable[[str, str, str], bool]
) -> dict[str, NDArray[Any]]:
    table = index.points
    found = {
        name: table.array(name)
        for name, column in table.columns.items()
        if wanted(column.source, column.role, column.units)
    }
    return {name: values for name, values in found.items() if values.dtype.kind in "if"}


def _scanned(group: H5Group, field: str, index: RunIndex, ending: str, units: str) -> None:
    for role in ("read", "set"):
        found = _columns_where(
            index, lambda s, r, u, role=role: s.endswith(ending) and r == role and u == units
        )
        for values in list(found.values())[:1]:
            name = f"{field}_set" if group.has(field) else field
            group.array(name, values.astype(np.float64), units)


def _write_temperatures(entry: H5Group, instrument: H5Group, index: RunIndex) -> None:
    read = _columns_where(
        index, lambda s, r, u: s.endswith("temperature") and r == "read" and u == "K"
    )
    table = index.points
    scanned = {column.source for column in table.columns.values() if column.role == "set"}
    # The sensor without a further name is the one that the scan controls.
    for name in sorted(read, key=lambda name: table.columns[name].source not in scanned):
        source = table.columns[name].source
        plain = not instrument.has("temperature_sensor")
        group = "temperature_sensor" if plain else f"temperature_sensor_{identifier(source)}"
        sensor = instrument.child(group, "NXsensor")
        sensor.text("name", source)
        sensor.text("measurement", "temperature")
        sensor.array("value", read[name].astype(np.float64), "K")
        std = table.find(source, "std")
        if std is not None:
            sensor.array("value_std", table.array(std).astype(np.float64), "K")
        log = f"/entry/labctl/monitors/{identifier(source)}"
        if entry.has(log):
            sensor.link("value_log", log)
        if plain:
            environment = entry.child("sample", "NXsample").child(
                "temperature_env", "NXenvironment"
            )
            environment.link("temperature_sensor", sensor.path)
        _write_control(instrument, index, source)


def _write_control(instrument: H5Group, index: RunIndex, source: str) -> None:
    name = index.points.find(source, "set")
    if name is None:
        return
    control = instrument.child(f"temp_control_{identifier(source.split('.')[0])}", "NXactuator")
    control.text("name", source.split(".")[0])
    control.text("physical_quantity", "temperature")
    controller = control.child("pid_controller", "NXpid_controller")
    controller.array("setpoint", index.points.array(name).astype(np.float64), "K")


def _write_stage(instrument: H5Group, index: RunIndex) -> None:
    for axis in ("x", "y", "z"):
        for role in ("read", "set"):
            found = _columns_where(
                index,
                lambda s, r, u, axis=axis, role=role: (
                    s.rsplit(".", 1)[-1] == axis and r == role and u == "um"
                ),
            )
            for values in list(found.values())[:1]:
                stage = instrument.child("sample_stage", "NXmanipulator")
                field = f"position_{axis}"
                name = f"{field}_set" if stage.has(field) else field
                stage.array(name, values.astype(np.float64), "um")


def _write_monochromator(instrument: H5Group, index: RunIndex) -> None:
    rows = list(range(index.points.rows))
    table = index.points
    names = [c.source for c in table.columns.values() if c.source.startswith("spectrograph.")]
    if not names:
        return
    group = instrument.child("monochromator", "NXmonochromator")
    _setting(group, "wavelength", index, "spectrograph.wavelength_nm", rows, units="nm")
    density = table.find("spectrograph.lines_per_mm", "setting")
    if density is not None:
        period_nm = 1e6 / table.array(density).astype(np.float64)
        group.child("grating", "NXgrating").array("period", period_nm, "nm")
    _fabrication(group, index, "spectrograph")


def _setting(
    group: H5Group, field: str, index: RunIndex, source: str, rows: list[int], units: str = ""
) -> None:
    name = index.points.find(source, "setting")
    if name is None or group.has(field) or not rows:
        return
    values = index.points.array(name)[rows]
    if values.dtype.kind in "if":
        group.array(field, values.astype(np.float64), units)


def _fabrication(group: H5Group, index: RunIndex, instrument: str) -> None:
    instruments = mapping(mapping(index.start.get("setup")).get("instruments"))
    driver = mapping(instruments.get(instrument)).get("driver")
    found = mapping(mapping(index.start.get("snapshot")).get(instrument))
    model = found.get("model") or driver
    if model:
        maker = group.child("device_information", "NXfabrication")
        maker.text("model", str(model))
        if found.get("serial"):
            maker.text("serial_number", str(found["serial"]))
