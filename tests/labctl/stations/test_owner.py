"""One owner per instrument, whoever else wants it and however the first one ended."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest

from labctl.errors import DeviceRefusedError
from labctl.stations import Owner

UNIT = "TCPIP0::CRYOSTATION.EXAMPLE::7773::SOCKET"
HOLD = """
import sys
from labctl.clock import RealClock
from labctl.stations import Owner
owner = Owner("cryostat", sys.argv[1], RealClock().utc)
owner.take()
print("held", flush=True)
sys.stdin.readline()
"""


def owner_of(unit: str = UNIT) -> Owner:
    return Owner("cryostat", unit, lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABCTL_LOCKS", str(tmp_path))
    return tmp_path


def holder() -> "subprocess.Popen[str]":
    """Start another process that owns the unit."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, UNIT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_and_since_when_within_a_second() -> None:
    process = holder()
    try:
        began_s = monotonic()
        with pytest.raises(DeviceRefusedError, match=rf"in use by PID {process.pid} since 20\d\d-"):
            owner_of().take()
        assert monotonic() - began_s < 1.0
        # Another unit is nobody's.
        other = owner_of(UNIT.replace("7773", "7774"))
        other.take()
        other.release()
    finally:
        process.kill()
        process.communicate()


def test_what_a_killed_process_has_left_is_taken_over() -> None:
    process = holder()
    process.kill()
    process.communicate()
    owner = owner_of()
    assert owner.path.exists()
    owner.take()
    with pytest.raises(
        DeviceRefusedError, match=r"in use by this program itself since 2026-01-02T03:04:05\+00:00"
    ):
        owner_of().take()
    owner.release()


def test_the_owner_may_take_it_again_and_gives_it_back() -> None:
    owner, other = owner_of(), owner_of()
    for _ in range(2):
        owner.take()
        owner.take()
        owner.release()
        owner.release()
        other.take()
        other.release()


@pytest.mark.parametrize(
    "left",
    [b"", b"{", b'{"pid": ' + str(os.getpid()).encode()],
    ids=["nothing", "a beginning", "a process only"],
)
def test_a_file_that_says_nothing_sensible_is_no_obstacle(left: bytes) -> None:
    owner = owner_of()
    owner.path.write_bytes(left)
    owner.take()
    with pytest.raises(DeviceRefusedError, match="in use by this program itself"):
        owner_of().take()
    owner.release()
