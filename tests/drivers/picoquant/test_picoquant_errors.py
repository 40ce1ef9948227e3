"""What the libraries refuse, USB errors by chance, wrong or missing libraries, which device."""

from collections.abc import Callable
from ctypes.util import find_library
from typing import Any

import pytest

from labctl.errors import (
    ConnectionLostError,
    DeviceError,
    DeviceRefusedError,
    GarbledReplyError,
    NoReplyError,
    RefusedError,
)
from labctl.roles import TaggerSettings
from labctl.transport import Isolation, LibraryLink
from labctl_drivers.picoquant.multiharp150 import MultiHarp150, MultiHarp150Settings

T3 = TaggerSettings("t3", 1.0)

# Typed from errorcodes.h of MHLib 3.1.
CODES = {
    -1: ("DEVICE_OPEN_FAIL", ConnectionLostError),
    -2: ("DEVICE_BUSY", DeviceRefusedError),
    -3: ("DEVICE_HEVENT_FAIL", DeviceError),
    -4: ("DEVICE_CALLBSET_FAIL", DeviceError),
    -5: ("DEVICE_BARMAP_FAIL", DeviceError),
    -6: ("DEVICE_CLOSE_FAIL", DeviceError),
    -7: ("DEVICE_RESET_FAIL", DeviceError),
    -8: ("DEVICE_GETVERSION_FAIL", DeviceError),
    -9: ("DEVICE_VERSION_MISMATCH", DeviceError),
    -10: ("DEVICE_NOT_OPEN", ConnectionLostError),
    -11: ("DEVICE_LOCKED", DeviceRefusedError),
    -12: ("DEVICE_DRIVERVER_MISMATCH", DeviceError),
    -16: ("INSTANCE_RUNNING", DeviceRefusedError),
    -17: ("INVALID_ARGUMENT", DeviceRefusedError),
    -18: ("INVALID_MODE", DeviceRefusedError),
    -19: ("INVALID_OPTION", DeviceRefusedError),
    -20: ("INVALID_MEMORY", DeviceRefusedError),
    -21: ("INVALID_RDATA", GarbledReplyError),
    -22: ("NOT_INITIALIZED", DeviceRefusedError),
    -23: ("NOT_CALIBRATED", DeviceRefusedError),
    -24: ("DMA_FAIL", DeviceError),
    -25: ("XTDEVICE_FAIL", DeviceError),
    -26: ("FPGACONF_FAIL", DeviceError),
    -27: ("IFCONF_FAIL", DeviceError),
    -28: ("FIFORESET_FAIL", DeviceError),
    -29: ("THREADSTATE_FAIL", DeviceError),
    -30: ("THREADLOCK_FAIL", DeviceError),
    -32: ("USB_GETDRIVERVER_FAIL", DeviceError),
    -33: ("USB_DRIVERVER_MISMATCH", DeviceError),
    -34: ("USB_GETIFINFO_FAIL", DeviceError),
    -35: ("USB_HISPEED_FAIL", ConnectionLostError),
    -36: ("USB_VCMD_FAIL", ConnectionLostError),
    -37: ("USB_BULKRD_FAIL", ConnectionLostError),
    -38: ("USB_RESET_FAIL", ConnectionLostError),
    -40: ("LANEUP_TIMEOUT", DeviceError),
    -41: ("DONEALL_TIMEOUT", DeviceError),
    -42: ("MB_ACK_TIMEOUT", DeviceError),
    -43: ("MACTIVE_TIMEOUT", DeviceError),
    -44: ("MEMCLEAR_FAIL", DeviceError),
    -45: ("MEMTEST_FAIL", DeviceError),
    -46: ("CALIB_FAIL", DeviceError),
    -47: ("REFSEL_FAIL", DeviceError),
    -48: ("STATUS_FAIL", DeviceError),
    -49: ("MODNUM_FAIL", DeviceError),
    -50: ("DIGMUX_FAIL", DeviceError),
    -51: ("MODMUX_FAIL", DeviceError),
    -52: ("MODFWPCB_MISMATCH", DeviceError),
    -53: ("MODFWVER_MISMATCH", DeviceError),
    -54: ("MODPROPERTY_MISMATCH", DeviceError),
    -55: ("INVALID_MAGIC", DeviceError),
    -56: ("INVALID_LENGTH", DeviceError),
    -57: ("RATE_FAIL", DeviceError),
    -58: ("MODFWVER_TOO_LOW", DeviceError),
    -59: ("MODFWVER_TOO_HIGH", DeviceError),
    -60: ("MB_ACK_FAIL", DeviceError),
    -64: ("EEPROM_F01", DeviceError),
    -78: ("EEPROM_F15", DeviceError),
    -99: ("Something unheard of", DeviceError),
}


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_an_error_with_word_and_remedy(fake: Callable[..., Any], code: int) -> None:
    one = fake("MH").connected()
    one.library.codes["GetSyncRate"] = [code, code]
    word, kind = CODES[code]
    with pytest.raises(DeviceError) as caught:
        one.tagger.read_sync_rate()
    error = caught.value
    assert type(error) is kind
    assert (error.device, error.command) == ("tagger", "MH_GetSyncRate")
    assert error.reply == f"{word} ({code})"
    assert error.remedy


@pytest.mark.parametrize(
    ("prefix", "code", "word"),
    [
        ("PH", -29, "STATUS_FAIL"),
        ("PH", -78, "HARDWARE_F15"),
        ("HH", -42, "MODACK_TIMEOUT"),
        ("HH", -78, "EEPROM_F15"),
        ("PH330", -29, "THREADSTATE_FAIL"),
    ],
)
def test_words_of_the_other_libraries(
    fake: Callable[..., Any], prefix: str, code: int, word: str
) -> None:
    one = fake(prefix).connected()
    one.library.codes["GetWarnings"] = [code]
    with pytest.raises(DeviceError, match=rf"{word} \({code}\)"):
        one.tagger.warnings()


# Errors of USB by chance


@pytest.mark.parametrize("code", [-36, -37])
@pytest.mark.parametrize(
    "function",
    ["Initialize", "Calibrate", "SetSyncDiv", "SetInputCFD", "SetBinning", "GetResolution"],
)
def test_settings_are_repeated_once(fake: Callable[..., Any], function: str, code: int) -> None:
    one = fake("PH").connected()
    one.tagger.configure(T3)
    good = one.calls()
    one = fake("PH").connected()
    one.library.codes[function] = [code]
    one.tagger.configure(T3)
    calls = one.calls()
    place = next(i for i, call in enumerate(good) if call.split()[0] == function)
    assert calls == [*good[: place + 1], *good[place:]]
    assert one.tagger.snapshot()["usb_repeats"] == {function: 1}
    one.tagger.configure(TaggerSettings("t2", 1.0))
    one.library.codes[function] = [code, code]
    with pytest.raises(NoReplyError, match="check the USB cable"):
        one.tagger.configure(T3)
    assert one.tagger.settings is None
    with pytest.raises(RefusedError, match="configure it first"):
        one.tagger.start()


def test_other_errors_are_not_repeated(fake: Callable[..., Any]) -> None:
    one = fake("PH").connected()
    one.library.codes["SetBinning"] = [-17]
    with pytest.raises(DeviceRefusedError, match="does not take this value"):
        one.tagger.configure(T3)
    assert [call for call in one.calls() if "Binning" in call] == ["SetBinning 0 0"]


def test_an_initialisation_that_failed_is_done_again(fake: Callable[..., Any]) -> None:
    one = fake("HH").connected()
    one.library.codes["Calibrate"] = [-46]
    with pytest.raises(DeviceError, match="CALIB_FAIL"):
        one.tagger.configure(T3)
    one.calls()
    one.tagger.configure(TaggerSettings("histogram", 1.0))
    assert one.calls()[:2] == ["Initialize 0 0 0", "Calibrate 0"]


def test_a_run_that_was_left_behind_is_stopped(fake: Callable[..., Any]) -> None:
    one = fake("HH")
    one.library.codes["Initialize"] = [-37, -16]
    one.tagger.connect()
    calls = ["Initialize 0 0 0", "Initialize 0 0 0", "StopMeas 0", "Initialize 0 0 0"]
    assert one.calls()[2:6] == calls
    one.library.codes["Initialize"] = [-16, -16]
    with pytest.raises(DeviceRefusedError, match="INSTANCE_RUNNING"):
        one.tagger.configure(T3)


@pytest.mark.parametrize("code", [-36, -37])
def test_a_start_is_never_repeated(fake: Callable[..., Any], code: int) -> None:
    one = fake("PH").connected()
    one.tagger.configure(T3)
    one.calls()
    one.library.codes["StartMeas"] = [code]
    with pytest.raises(NoReplyError):
        one.tagger.start()
    assert one.calls() == ["StartMeas 0 1000"]
    # Nobody knows whether it runs.
    assert not one.tagger.is_stopped()
    with pytest.raises(RefusedError, match="stop the run first"):
        one.tagger.start()
    one.tagger.stop()
    one.tagger.start()
    assert one.calls() == ["StopMeas 0", "StartMeas 0 1000"]


def test_a_repeated_read_of_records_marks_the_run(fake: Callable[..., Any]) -> None:
    one = fake("PH").connected()
    one.tagger.configure(T3)
    one.tagger.start()
    one.library.answers["ReadFiFo"] = [[7, 8]]
    one.library.codes["ReadFiFo"] = [-37]
    assert one.tagger.read_records().tolist() == [7, 8]
    assert one.tagger.flags().words() == ("transfer_repeated",)
    one.tagger.stop()
    one.tagger.start()
    assert one.tagger.flags().words() == ()


# Which library


def test_no_library_is_one_error_with_a_remedy() -> None:
    tagger = MultiHarp150("tagger", LibraryLink(), MultiHarp150Settings(), {})
    with pytest.raises(DeviceError, match=r"install the vendor's library for MultiHarp") as caught:
        tagger.connect()
    assert "libmh150.so" in caught.value.command or "mhlib64.dll" in caught.value.command
    assert "--simulate" in caught.value.remedy


@pytest.mark.parametrize("isolation", [None, Isolation()], ids=["here", "apart"])
def test_the_named_library_only(isolation: Isolation | None) -> None:
    settings = MultiHarp150Settings(library="no-such-library.so")
    link = LibraryLink(isolation=isolation)
    with pytest.raises(DeviceError, match=r"'load no-such-library.so'"):
        MultiHarp150("tagger", link, settings, {}).connect()


@pytest.mark.parametrize("isolation", [None, Isolation()], ids=["here", "apart"])
def test_a_real_shared_library_of_something_else(isolation: Isolation | None) -> None:
    file = find_library("c") or "msvcrt.dll"
    link = LibraryLink(isolation=isolation)
    tagger = MultiHarp150("tagger", link, MultiHarp150Settings(library=file), {})
    with pytest.raises(DeviceError, match=r"MH_GetLibraryVersion.*does not have it.*version 3\.1"):
        tagger.connect()


@pytest.mark.parametrize(("prefix", "version"), [("PH", "2.3"), ("MH", "2.0"), ("PH330", "")])
def test_a_library_of_another_kind(fake: Callable[..., Any], prefix: str, version: str) -> None:
    one = fake(prefix)
    one.library.answers["GetLibraryVersion"] = [version]
    with pytest.raises(DeviceError, match=f"version {version or 'unknown'}.*written for"):
        one.tagger.connect()
    assert one.calls() == ["GetLibraryVersion"]


@pytest.mark.parametrize(("prefix", "version"), [("PH", "3.0"), ("MH", "3.0"), ("MH", "4.0")])
def test_libraries_with_the_same_functions(
    fake: Callable[..., Any], prefix: str, version: str
) -> None:
    one = fake(prefix)
    one.library.answers["GetLibraryVersion"] = [version]
    one.tagger.connect()
    assert one.tagger.snapshot()["library_version"] == version


def test_a_function_that_is_missing(fake: Callable[..., Any]) -> None:
    one = fake("MH", overflow_hold="5 ms").connected()
    one.library.missing = {"SetOflCompression"}
    with pytest.raises(DeviceError, match=r"MH_SetOflCompression.*install version 3\.1"):
        one.tagger.configure(T3)


# Which device


def test_the_serial_number_picks_the_device(fake: Callable[..., Any]) -> None:
    one = fake("MH", serial="1000003")
    one.library.serials = ["1000001", -1, -2, "1000003", "1000004"]
    assert one.tagger.connect().serial == "1000003"
    assert one.calls()[1:8] == [
        "OpenDevice 0",
        "CloseDevice 0",
        "OpenDevice 1",
        "OpenDevice 2",
        "OpenDevice 3",
        "Initialize 3 0 0",
        "GetHardwareInfo 3",
    ]
    one.tagger.read_sync_rate()
    assert one.calls()[-1] == "GetSyncRate 3"


def test_a_serial_number_that_is_told_after_initialize(fake: Callable[..., Any]) -> None:
    one = fake("MH", serial="1000001")
    one.library.serials = [""]
    assert one.tagger.connect().serial == "1000001"
    assert one.calls()[1:5] == [
        "OpenDevice 0",
        "Initialize 0 0 0",
        "GetSerialNumber 0",
        "GetHardwareInfo 0",
    ]


def test_no_such_device(fake: Callable[..., Any]) -> None:
    one = fake("MH", serial="42")
    one.library.serials = ["1000001", -2]
    with pytest.raises(NoReplyError) as caught:
        one.tagger.connect()
    assert "no MultiHarp 150 or 160 42 found" in caught.value.reply
    assert "device 0: serial number 1000001; device 1: DEVICE_BUSY (-2)" in caught.value.reply
    opened = [call for call in one.calls() if "Device" in call]
    assert opened == [
        "OpenDevice 0",
        "CloseDevice 0",
        *[f"OpenDevice {index}" for index in range(1, 8)],
    ]
    one.library.serials = []
    with pytest.raises(NoReplyError, match="check power and USB cable"):
        one.tagger.connect()


def test_a_device_that_fails_while_it_is_opened_is_closed(fake: Callable[..., Any]) -> None:
    one = fake("HH")
    one.library.codes["Calibrate"] = [-46]
    with pytest.raises(DeviceError, match="CALIB_FAIL"):
        one.tagger.connect()
    assert one.calls()[-1] == "CloseDevice 0"
    assert not one.tagger.connected
    one.library.answers["GetBaseResolution"] = [0.0, 26]
    with pytest.raises(GarbledReplyError, match=r"0\.0 ps"):
        one.tagger.connect()
    assert one.calls()[-1] == "CloseDevice 0"


def test_an_input_that_this_device_does_not_have(fake: Callable[..., Any]) -> None:
    one = fake("MH", inputs={3: {"level": "-100 mV"}})
    with pytest.raises(RefusedError, match=r"names input 3 \(this MultiHarp 150 4N has 2\)"):
        one.tagger.connect()
    assert one.calls()[-1] == "CloseDevice 0"


def test_nothing_works_before_connect(fake: Callable[..., Any]) -> None:
    one = fake("MH")
    for action in (one.tagger.read_sync_rate, one.tagger.base_resolution_ps, one.tagger.warnings):
        with pytest.raises(NoReplyError, match="not connected"):
            action()
    with pytest.raises(NoReplyError, match="not connected"):
        one.tagger.configure(T3)
    one.tagger.stop()
    assert one.tagger.is_stopped()
    assert one.calls() == []
