"""From journals to the product, so that a crash at any instant loses nothing."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labctl.errors import StorageError
from labctl.storage._ballast import release
from labctl.storage._durable import is_held, replace, sync_file
from labctl.storage._folders import PRODUCT_SUFFIX, RunFolder, journal_segments, product_path
from labctl.storage._h5 import open_h5
from labctl.storage._lint import lint_product
from labctl.storage._nexus import Survey, build_product
from labctl.storage._records import JournalTail, RunStatus, TailState
from labctl.storage._strays import stray_sidecars
from labctl.storage._writer import BALLAST_SUFFIX

PART_SUFFIX = ".part"


@dataclass(frozen=True)
class FinaliseReport:
    """What the finaliser did.

    Attributes:
        product: The finished file.
        status: Status of the run that stands in it.
        points: Stored points.
        made: False if the product was already there and complete.
        remarks: What a person should know, such as a torn end of a journal.
    """

    product: Path
    status: RunStatus
    points: int
    made: bool
    remarks: tuple[str, ...]


def finalise(journal: Path) -> FinaliseReport:
    """Write the product of the run to which a journal belongs; doing it again changes nothing.

    The product appears under its name only when it is whole, checked and on the disk. The
    journals are left as they are. A run without a stop record becomes ``recovered``.

    Run it in a child process (``finalise_in_child``): when the disk is full the HDF5 library
    may end its process.

    Raises:
        StorageError: If the run is still going on, a journal cannot be read, or the product fails
            its checks.
    """
    journals = journal_segments(journal)
    if is_held(journals[-1]):
        message = f"{journals[-1]} is still being written; the run is not finished"
        raise StorageError(message)
    done = current_product(journal.parent, journals)
    if done is not None:
        return _report_on(done)
    survey = Survey(journals)
    status = survey.index.stopped_as or RunStatus.RECOVERED
    strays = stray_sidecars(journals[0], survey.index.sidecars)
    survey.index.sidecars += strays
    target = product_path(journals[0])
    part = target.with_name(target.name + PART_SUFFIX)
    build_product(survey, part, status)
    problems = lint_product(part)
    if problems:
        message = f"{part} fails its checks and was kept: " + "; ".join(problems[:10])
        raise StorageError(message)
    sync_file(part)
    product = replace(part, target)
    remarks = [_tail_remark(path, tail) for path, tail in zip(journals, survey.tails, strict=True)]
    remarks += [
        f"{one['name']} ({one['size']} bytes) lies beside, and the journal does not name it: "
        "it was being written when the run broke off, and belongs to the run now"
        for one in strays
    ]
    if product != target:
        remarks.append(f"{target.name} is open in another program; wrote {product.name} instead")
    points = survey.index.points.rows
    return FinaliseReport(product, status, points, True, tuple(r for r in remarks if r))


def finalise_in_child(journal: Path, *, timeout_s: float = 3600.0) -> FinaliseReport:
    """Do the same in a process of its own.

    Raises:
        StorageError: As ``finalise``, and if the child dies or takes longer than ``timeout_s``.
    """
    command = [sys.executable, "-m", "labctl.storage.finalise", str(journal)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        message = f"the finaliser of {journal} took longer than {timeout_s:g} s; the journal stands"
        raise StorageError(message) from error
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        message = f"{last[0]} (the journal {journal} stands; try: labctl recover)"
        raise StorageError(message)
    return report_from_json(done.stdout.strip().splitlines()[-1])


def report_to_json(report: FinaliseReport) -> str:
    """Return a report as one line of ASCII."""
    return json.dumps(
        {
            "product": str(report.product),
            "status": report.status.value,
            "points": report.points,
            "made": report.made,
            "remarks": report.remarks,
        }
    )


def report_from_json(line: str) -> FinaliseReport:
    """Return the report that ``report_to_json`` wrote."""
    fields: dict[str, Any] = json.loads(line)
    return FinaliseReport(
        Path(fields["product"]),
        RunStatus(fields["status"]),
        int(fields["points"]),
        bool(fields["made"]),
        tuple(fields["remarks"]),
    )


@dataclass(frozen=True)
class RecoverReport:
    """What was found in a run folder and what was done.

    Attributes:
        folder: The run folder.
        product: The finished file.
        status: Status of the run.
        points: Stored points.
        made: Whether the product was made now.
        tails: Where each journal ended; empty if only the product is there.
        remarks: What a person should know.
    """

    folder: Path
    product: Path
    status: RunStatus
    points: int
    made: bool
    tails: Mapping[str, JournalTail]
    remarks: tuple[str, ...]


def recover(path: Path) -> RecoverReport:
    """Make the product of a run whose process or finaliser died; doing it again changes nothing.

    Args:
        path: Run folder, or one of its journals.

    Raises:
        StorageError: If there is no run, it is still going on, or it cannot be written.
    """
    path = path.expanduser()
    if not path.exists():
        message = f"{path}: there is no such folder and no such journal"
        raise StorageError(message)
    folder = path if path.is_dir() else path.parent
    journals = RunFolder(folder).journals() if path.is_dir() else journal_segments(path)
    if not journals:
        product = current_product(folder, ())
        if product is None:
            message = f"{folder} holds no journal and no product of a run"
            raise StorageError(message)
        report = _report_on(product)
        return RecoverReport(
            folder, product, report.status, report.points, False, {}, report.remarks
        )
    report = finalise_in_child(journals[0])
    tails = _tails_of(report.product)
    for ballast in folder.glob(f"*{BALLAST_SUFFIX}"):
        # Of a process that died.
        release(ballast)
    if tails:
        part = product_path(journals[0])
        part.with_name(part.name + PART_SUFFIX).unlink(missing_ok=True)
    return RecoverReport(
        folder, report.product, report.status, report.points, report.made, tails, report.remarks
    )


def current_product(folder: Path, journals: Sequence[Path]) -> Path | None:
    """Return the newest product in a folder that holds everything that is in the journals."""
    candidates = [
        path
        for path in folder.glob(f"*{PRODUCT_SUFFIX}*")
        if path.name.removesuffix(PRODUCT_SUFFIX) != path.name
        or path.suffix.removeprefix(".").isdigit()
    ]
    sizes = {path.name: path.stat().st_size for path in journals}
    # A product beside an older one that was in use has the higher number.
    for path in sorted(candidates, key=lambda path: (len(path.name), path.name), reverse=True):
        with contextlib.suppress(StorageError):
            held = {item["name"]: item["size"] for item in _journals_in(path)}
            if all(held.get(name) == size for name, size in sizes.items()):
                return path
    return None


def _journals_in(product: Path) -> list[dict[str, Any]]:
    with open_h5(product) as file:
        if not file.has("entry/labctl/journals"):
            message = f"{product} holds no run of labctl"
            raise StorageError(message)
        return json.loads(file.read_text("entry/labctl/journals"))


def _tails_of(product: Path) -> dict[str, JournalTail]:
    return {
        item["name"]: JournalTail(
            TailState(item["end"]), int(item["whole"]), f"{item['end']} at {item['whole']} bytes"
        )
        for item in _journals_in(product)
    }


def _report_on(product: Path) -> FinaliseReport:
    with open_h5(product) as file:
        labctl = file.group("entry/labctl")
        status = RunStatus(labctl.read_text("run_status"))
        points = len(labctl.read("superseded"))
    return FinaliseReport(product, status, points, False, ())


def _tail_remark(path: Path, tail: JournalTail) -> str:
    if tail.state is TailState.END:
        return ""
    lost = path.stat().st_size - tail.offset
    return f"{path.name}: the last {lost} bytes are {tail.state.value} and were left out"
