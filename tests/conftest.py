"""What holds for every test: a fixed environment, no leaks, and shares that are timed.

The tests are in shares with a budget of wall time each. ``make test`` measures set-up and checks
itself and hands their times over in ``LABCTL_SHARE_SECONDS`` ("set-up=310 checks=54").
"""

import multiprocessing
import os
import signal
import socket
import sys
import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
ON_CI = os.environ.get("CI", "").lower() in ("true", "1")

# All of this is read when the libraries are first imported, so it stands before any of them is.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MPLBACKEND", "Agg")
# Two workers share two cores; threads of the linear algebra would only fight them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".pytest_cache" / "numba"))

INSIDE = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
ENVIRONMENTS = {"LABCTL_NEXUS_PYTHON": ".venv-nexus", "LABCTL_CLIENTS_PYTHON": ".venv-clients"}
for _variable, _folder in ENVIRONMENTS.items():
    if (ROOT / _folder / INSIDE).exists():
        os.environ.setdefault(_variable, str(ROOT / _folder / INSIDE))

hypothesis.settings.register_profile("labctl", deadline=None, derandomize=ON_CI)
hypothesis.settings.load_profile("labctl")


# Leaks: threads, sockets and child processes that a test leaves behind.

_PATIENCE_S = 2.0
"""Wall time for what is already ending to end."""

_sockets: "weakref.WeakSet[socket.socket]" = weakref.WeakSet()
_sockets_lock = threading.Lock()
_patch = pytest.MonkeyPatch()


def _count_sockets() -> None:
    original: Callable[..., None] = socket.socket.__init__

    def remember(self: socket.socket, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        with _sockets_lock:
            _sockets.add(self)

    _patch.setattr(socket.socket, "__init__", remember)


_count_sockets()


def _open_sockets() -> set[socket.socket]:
    with _sockets_lock:
        return {one for one in _sockets if one.fileno() != -1}


def _threads() -> set[threading.Thread]:
    # Dummies stand for threads of C libraries that once called Python; nobody can end those.
    dummies = ("_DummyThread", "_MainThread")
    # One that is just being started has no number yet, and cannot be waited for.
    started = (one for one in threading.enumerate() if one.ident is not None)
    return {one for one in started if type(one).__name__ not in dummies}


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail a test after which a thread, an open socket or a child process is left."""
    threads, sockets = _threads(), _open_sockets()
    children = set(multiprocessing.active_children())
    yield
    deadline_s = monotonic() + _PATIENCE_S
    for thread in _threads() - threads:
        thread.join(max(0.0, deadline_s - monotonic()))
    new_children = set(multiprocessing.active_children()) - children
    for child in new_children:
        child.join(max(0.0, deadline_s - monotonic()))
    left = [
        *(f"thread {one.name!r}" for one in _threads() - threads),
        *(f"child process {one.name!r}" for one in new_children if one.is_alive()),
        *(f"open socket {one}" for one in _open_sockets() - sockets),
    ]
    if left:
        pytest.fail(f"left behind: {'; '.join(left)}", pytrace=False)


# Torture: what takes hours is reduced, unless it is asked for.


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--torture", action="store_true", help="faults in full: takes hours")


@pytest.fixture(scope="session")
def torture(request: pytest.FixtureRequest) -> bool:
    """Return whether faults are tried in full."""
    return bool(request.config.getoption("--torture"))


# Things beside the source tree.


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with recorded data and protocol notes that lies beside the project."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no folder 'shared' with recorded data beside the project")
    return folder


def _python_of(variable: str) -> Path:
    if variable not in os.environ:
        folder = ENVIRONMENTS[variable]
        reason = f"no environment {folder}; 'make {folder}' makes it"
        pytest.fail(reason, pytrace=False) if ON_CI else pytest.skip(reason)
    return Path(os.environ[variable])


@pytest.fixture(scope="session")
def nexus_python() -> Path:
    """Return the Python of the environment with pynxtools, silx and nexusformat."""
    return _python_of("LABCTL_NEXUS_PYTHON")


@pytest.fixture(scope="session")
def clients_python() -> Path:
    """Return the Python of the environment with other projects' instrument clients."""
    return _python_of("LABCTL_CLIENTS_PYTHON")


# Shares and their times.

UNIT = "unit and contract"
SHARES = {"end_to_end": "end to end", "faults": "faults", "clients": "clients and NeXus"}
SHARES["nexus"] = SHARES["clients"]
BUDGET_MIN = {
    "set-up": 8,
    "checks": 2,
    UNIT: 8,
    "end to end": 8,
    "faults": 6,
    "clients and NeXus": 5,
}


def share_of(path: str) -> str:
    """Return the share to which a test file belongs, from its path below the project."""
    parts = Path(path).parts
    folder = parts[1] if len(parts) > 2 and parts[0] == "tests" else ""
    return SHARES.get(folder, UNIT)


def busy_s(intervals: Iterable[tuple[float, float]]) -> float:
    """Return the length of the union of intervals (start, stop), s."""
    total_s, end_s = 0.0, float("-inf")
    for start_s, stop_s in sorted(intervals):
        total_s += max(0.0, stop_s - max(start_s, end_s))
        end_s = max(end_s, stop_s)
    return total_s


class ShareTimes:
    """Collects when the tests of each share ran, in whatever process they did."""

    def __init__(self) -> None:
        self.intervals: dict[str, list[tuple[float, float]]] = {}
        self.given_s = _given_times(os.environ.get("LABCTL_SHARE_SECONDS", ""))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        share = share_of(report.nodeid.partition("::")[0])
        self.intervals.setdefault(share, []).append((report.start, report.stop))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.given_s and len(self.intervals) < 2:
            return
        terminalreporter.section("time of each share")
        for line in self.lines():
            terminalreporter.write_line(line)

    def lines(self) -> list[str]:
        """Return one line per share: wall time in which its tests ran, and its budget."""
        times_s = dict(self.given_s)
        times_s |= {share: busy_s(intervals) for share, intervals in self.intervals.items()}
        return [
            f"{share:18} {times_s[share] / 60:6.2f} min of {budget} min"
            + ("  OVER BUDGET" if times_s[share] > 60 * budget else "")
            for share, budget in BUDGET_MIN.items()
            if share in times_s
        ]


def _given_times(text: str) -> dict[str, float]:
    pairs = (entry.partition("=") for entry in text.split())
    return {name: float(seconds) for name, _, seconds in pairs}


def pytest_configure(config: pytest.Config) -> None:
    """Register the timing of shares; let interrupts through."""
    config.pluginmanager.register(ShareTimes(), "labctl-share-times")
    # A shell hands SIGINT on as ignored to what it starts in the background.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """Stop watching sockets."""
    _patch.undo()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run share after share, the quick ones first."""
    order = list(BUDGET_MIN)
    items.sort(key=lambda item: order.index(share_of(item.nodeid.partition("::")[0])))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skip that gives no reason as a failure."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple) and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped").strip(": ")
        if reason in ("", "unconditional skip"):
            report.outcome, report.longrepr = "failed", "a skip must give its reason"
    return report
