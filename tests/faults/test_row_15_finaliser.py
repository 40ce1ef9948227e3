"""Row 15: the finaliser crashes, or the product does not pass its checks; and files in use."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from typer.testing import CliRunner

from interrupted import SHORT, request_of, run_without_product
from labctl.cli import app
from labctl.clock import VirtualClock
from labctl.errors import StorageError
from labctl.host import LocalHost
from labctl.storage import (
    JournalWriter,
    RecordKind,
    file_digest,
    finalise,
    finalise_in_child,
    lint_product,
    read_run,
    recover,
)
from small_setup import Bench, arrays


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the journal of a run without product."""
    return run_without_product(request_of(Bench(tmp_path_factory.mktemp("whole")), SHORT)).journal


def test_a_finaliser_that_crashes_is_told_and_recover_gives_the_same(whole: Path) -> None:
    wanted = arrays(read_run(whole))
    crash = "import os; os.abort()"
    run: Any = subprocess.run

    def crashes(command: list[str], **options: Any) -> Any:
        return run([sys.executable, "-c", crash], **options)

    with (
        patch("labctl.storage._products.subprocess.run", crashes),
        pytest.raises(StorageError, match=r"exit status -?\d+ \(the journal .* stands"),
    ):
        finalise_in_child(whole)
    report = recover(whole.parent)
    assert arrays(read_run(report.product)) == wanted
    report.product.unlink()


def test_a_product_that_fails_its_checks_is_kept_aside(whole: Path) -> None:
    with (
        patch("labctl.storage._products.lint_product", return_value=["a number without unit"]),
        pytest.raises(StorageError, match="fails its checks and was kept: a number without unit"),
    ):
        finalise(whole)
    assert [path.suffix for path in sorted(whole.parent.iterdir())] == [".lcj", ".part"]
    report = recover(whole.parent)
    assert arrays(read_run(report.product)) == arrays(read_run(whole))
    assert [path.suffix for path in sorted(whole.parent.iterdir())] == [".lcj", ".nxs"]
    report.product.unlink()


def test_the_run_ends_with_a_reason_and_another_status(bench: Bench) -> None:
    message = "it died (the journal stands; try: labctl recover)"
    with patch("labctl.host._runner.finalise_in_child", side_effect=StorageError(message)):
        report = LocalHost().run(request_of(bench, SHORT))
    assert report.product is None
    assert message in report.outcome.reason
    assert lint_product(recover(report.journal).product) == []


def test_a_run_can_be_read_while_it_is_written(bench: Bench) -> None:
    seen: list[int] = []

    def read(event: object) -> None:
        kind, journal = getattr(event, "kind", ""), getattr(event, "journal", "")
        if journal and kind == "run_started":
            seen.append(0)
            read_along.append(Path(journal))
        if kind == "point_stored":
            run = read_run(read_along[0])
            assert run.status == "running"
            counts = run.data["spectrum"]["counts"].values
            assert np.all(counts.sum(axis=1) > 0)
            seen.append(len(counts))

    read_along: list[Path] = []
    with patch("labctl.host._runner.finalise_in_child") as finalise_:
        finalise_.return_value.product = None
        LocalHost().run(request_of(bench, SHORT), [read])
    assert seen == [0, 1, 2, 3, 4]


def test_two_runs_in_one_folder_at_once_do_not_disturb_each_other(bench: Bench) -> None:
    request = request_of(bench, SHORT)
    alone = run_without_product(request)
    program = (
        "import sys; from labctl.host import LocalHost, RunRequest;"
        "print(LocalHost().run(RunRequest.model_validate_json(sys.argv[1])).journal)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, request.model_dump_json()],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    journals = [Path(process.communicate()[0].strip()) for process in started]
    assert journals[0].parent != journals[1].parent
    for journal in journals:
        run = read_run(journal.parent)
        assert run.status == "complete"
        assert arrays(run) == arrays(read_run(alone.journal))


def test_check_tells_of_a_sidecar_that_is_not_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "run_p0000.ptu"
    file.write_bytes(b"records")
    clock = VirtualClock()
    with JournalWriter(tmp_path / "run.lcj", now=clock.now, utc=clock.utc) as writer:
        writer.append(RecordKind.START, {"uid": "u", "name": "photons"})
        writer.append(RecordKind.SIDECAR, {"name": file.name, **file_digest(file)})
        writer.append(RecordKind.STOP, {"status": "complete", "reason": "", "snapshot": {}})

    def check() -> tuple[int, str]:
        result = CliRunner().invoke(app, ["check", str(tmp_path)])
        return result.exit_code, result.stderr

    assert check() == (0, "")
    file.write_bytes(b"recordz")
    status, text = check()
    assert status == 1
    assert "run_p0000.ptu is not as it was written" in " ".join(text.split())
    file.unlink()
    status, text = check()
    assert status == 1
    assert "run_p0000.ptu is missing" in " ".join(text.split())
