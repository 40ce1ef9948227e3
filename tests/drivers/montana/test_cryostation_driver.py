import math

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceRefusedError, GarbledReplyError, NoReplyError, RefusedError
from labctl.roles import Cryostat, Limits
from labctl.transport import TapeTransport
from labctl_drivers.montana.cryostation import Cryostation, CryostationSettings

Pair = tuple[bytes, bytes]

GREETING: list[Pair] = [(b"04GTSP", b"044.20"), (b"03GST", b"054.310"), (b"04GTSP", b"044.20")]


def connect(
    pairs: list[Pair], settings: CryostationSettings | None = None
) -> tuple[Cryostation, TapeTransport]:
    tape = TapeTransport("cryostat", pairs, VirtualClock())
    limits = {"temperature": Limits(3.2, 320.0)}
    driver = Cryostation("cryostat", tape, settings or CryostationSettings(), limits)
    driver.connect()
    return driver, tape


def test_it_plays_the_role() -> None:
    driver, tape = connect([*GREETING, (b"03GPT", b"054.201"), (b"03GSS", b"070.00900")])
    assert isinstance(driver, Cryostat)
    assert driver.read("platform_temperature") == 4.201
    assert driver.read("stability") == 0.009
    tape.check_finished()


def test_set_point_is_sent_and_read_back() -> None:
    driver, tape = connect(
        [
            *GREETING,
            (b"10STSP 10.00", b"33OK, Temperature Set Point = 10.00"),
            (b"04GTSP", b"0510.00"),
        ]
    )
    driver.settable("temperature").start(10.0)
    tape.check_finished()


def test_set_point_that_is_not_taken_is_an_error() -> None:
    driver, _ = connect(
        [
            *GREETING,
            (b"10STSP 10.00", b"33OK, Temperature Set Point = 10.00"),
            (b"04GTSP", b"044.20"),
        ]
    )
    with pytest.raises(DeviceRefusedError, match=r"holds 4.2 K.*external control"):
        driver.start_temperature(10.0)


@pytest.mark.parametrize("kelvin", [3.1, 321.0, math.nan, math.inf, -1.0])
def test_impossible_set_points_send_nothing(kelvin: float) -> None:
    driver, tape = connect(GREETING)
    with pytest.raises(RefusedError):
        driver.start_temperature(kelvin)
    tape.check_finished()


def test_refusal_names_command_reply_and_remedy() -> None:
    driver, _ = connect([*GREETING, (b"10STSP 10.00", b"24Error: Invalid set point")])
    with pytest.raises(DeviceRefusedError) as caught:
        driver.start_temperature(10.0)
    error = caught.value
    assert (error.device, error.command) == ("cryostat", "STSP 10.00")
    assert error.reply == "Error: Invalid set point"
    assert "decimal" in error.remedy


def test_comma_is_learnt_and_sent() -> None:
    comma: list[Pair] = [(b"04GTSP", b"044,20"), (b"03GST", b"054,310"), (b"04GTSP", b"044,20")]
    order: list[Pair] = [
        (b"10STSP 10,00", b"33OK, Temperature Set Point = 10,00"),
        (b"04GTSP", b"0510,00"),
    ]
    driver, tape = connect([*comma, *order])
    driver.start_temperature(10.0)
    tape.check_finished()


def test_comma_can_be_fixed_in_the_set_up() -> None:
    order: list[Pair] = [(b"09STSP 5,00", b"02OK"), (b"04GTSP", b"045.00")]
    driver, tape = connect([*GREETING, *order], CryostationSettings(decimal="comma"))
    driver.start_temperature(5.0)
    tape.check_finished()


def test_lost_sensor_is_nan_and_never_a_temperature() -> None:
    driver, _ = connect([*GREETING, (b"03GST", b"06-0.100"), (b"03GSS", b"08-0.10000")])
    assert math.isnan(driver.read_temperature())
    assert math.isnan(driver.read_stability())


def test_missing_thermometer_is_told_on_connecting() -> None:
    with pytest.raises(DeviceRefusedError, match=r"no sample thermometer.*'sample_thermometer'"):
        connect([(b"04GTSP", b"044.20"), (b"03GST", b"06-0.100")])


@pytest.mark.parametrize(
    ("which", "command", "stability"),
    [
        ("sample", b"03GST", b"03GSS"),
        ("platform", b"03GPT", b"03GPS"),
        ("user", b"03GUT", b"03GUS"),
    ],
)
def test_thermometer_near_the_sample_is_chosen_in_the_set_up(
    which: str, command: bytes, stability: bytes
) -> None:
    settings = CryostationSettings.model_validate({"sample_thermometer": which})
    ask: list[Pair] = [(command, b"045.00"), (stability, b"040.01")]
    greeting: list[Pair] = [(b"04GTSP", b"044.20"), (command, b"045.00"), (b"04GTSP", b"044.20")]
    driver, tape = connect([*greeting, *ask], settings)
    assert driver.read("temperature") == 5.0
    assert driver.read("stability") == 0.01
    tape.check_finished()


def test_impossible_number_is_garbled_not_a_temperature() -> None:
    driver, _ = connect([*GREETING, (b"03GPT", b"0742020.1")])
    with pytest.raises(GarbledReplyError, match=r"cryostat: 'GPT'.*cannot be"):
        driver.read_platform_temperature()


def test_silence() -> None:
    driver, tape = connect([*GREETING, (b"03GPT", b"")])
    with pytest.raises(NoReplyError, match="no reply within 5 s"):
        driver.read_platform_temperature()
    assert tape.clock.now() == pytest.approx(5.0)


def test_snapshot_is_plain_and_complete() -> None:
    answers: list[Pair] = [
        (b"03GPT", b"054.201"),
        (b"03GST", b"054.310"),
        (b"03GUT", b"06-0.100"),
        (b"04GS1T", b"0532.10"),
        (b"04GS2T", b"23Error: Invalid command."),
        (b"03GPS", b"070.00900"),
        (b"04GTSP", b"044.20"),
        (b"03GCP", b"031.5"),
        (b"04GPHP", b"054.904"),
        (b"03GAS", b"01T"),
    ]
    driver, tape = connect([*GREETING, *answers])
    snapshot = driver.snapshot()
    tape.check_finished()
    assert snapshot["platform_temperature_k"] == 4.201
    assert snapshot["user_temperature_k"] is None
    assert snapshot["stage_2_temperature_k"] is None
    assert snapshot["chamber_pressure_pa"] == pytest.approx(0.19998, rel=1e-4)
    assert "error" in snapshot["alarm"]
    assert not any(isinstance(v, float) and math.isnan(v) for v in snapshot.values())


def test_no_alarm() -> None:
    driver, _ = connect([*GREETING, (b"03GAS", b"01F")])
    assert driver.alarm() == ""


def test_settings_speak_the_set_up_files_language() -> None:
    settings = CryostationSettings.model_validate({"reply_timeout": "500 ms"})
    assert settings.reply_timeout == 0.5
    assert CryostationSettings.model_validate(settings.model_dump()) == settings
    with pytest.raises(ValueError, match="reply_timeout"):
        CryostationSettings.model_validate({"reply_timeout": 5})
    with pytest.raises(ValueError, match="thermometer"):
        CryostationSettings.model_validate({"thermometer": "sample"})
