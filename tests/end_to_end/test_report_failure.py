"""The story that a failed run tells: device, what was asked, what it said, what was done."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from labctl.cli import app
from small_setup import Bench

HANGS = """\
    sample_thermometer: platform
    simulate: {faults: [{kind: hang, after: 5 min}]}
"""


def reported(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report-failure", *arguments])


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose cryostat falls silent for ever."""
    bench = Bench(tmp_path_factory.mktemp("failed"))
    setup = bench.setup()
    text = setup.read_text("utf-8")
    setup.write_text(text.replace("    sample_thermometer: platform\n", HANGS), "utf-8")
    report = bench.run(bench.request(setup=setup))
    assert report.outcome.status == "failed"
    return report.journal.parent


def test_the_story_names_device_question_answer_and_what_was_done(failed: Path) -> None:
    found = reported(str(failed))
    assert found.exit_code == 0, found.output
    told = dict(line.split(": ", 1) for line in found.output.splitlines() if ": " in line)
    assert told["which device"] == "cryostat"
    assert told["what was asked"] == "GTSP"
    assert told["what came back"].startswith("no reply within")
    assert told["meanwhile"].startswith("setting cryostat.temperature to ")
    assert "what helps" in told
    assert "  the engine: shutter.close: done and read back" in found.output.splitlines()
    assert "1 point is safe in" in found.output
    assert f"next: labctl resume {failed}" in found.output


def test_the_last_traffic_of_the_device_is_shown(failed: Path) -> None:
    lines = reported(str(failed), "--lines", "3").output.splitlines()
    start = lines.index("last traffic of cryostat:")
    last = lines[start + 1 : start + 4]
    assert all("s  cryostat  " in line for line in last)
    assert last[-1].endswith("> '04GTSP'")
    other = reported(str(failed), "--device", "shutter").output
    assert "last traffic of shutter:" in other
    assert "> 'closed?" in other


def test_machines_read_the_same(failed: Path) -> None:
    found: dict[str, Any] = json.loads(reported(str(failed), "--json").output)
    assert (found["status"], found["device"], found["command"]) == ("failed", "cryostat", "GTSP")
    assert {entry["device"] for entry in found["traffic"]} >= {"cryostat", "shutter", "camera"}
    box = json.loads(next(failed.glob("*_failure.json")).read_text("utf-8"))
    assert box["engine"]["points"] == 1
    assert box["engine"]["set"] == {"cryostat.temperature": "12 K"}
    assert box["environment"]["packages"]["labctl"]
    assert box["error"]["trace"][-1].startswith("labctl.errors.NoReplyError")


def test_a_complete_run_has_nothing_to_tell(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    recipe = bench.recipe("name: nothing\nsteps: [{note: hello}]\n")
    report = bench.run(bench.request(recipe=recipe))
    found = reported(str(report.journal.parent))
    assert "nothing has failed" in found.output
    assert "next:" not in found.output
    assert not list(report.journal.parent.glob("*_failure.json"))


def test_of_a_run_that_died_the_journal_tells(tmp_path: Path, failed: Path) -> None:
    (journal,) = failed.glob("*.lcj")
    dead = tmp_path / failed.name
    dead.mkdir()
    # Without its last record, the stop record: what a killed process leaves.
    content = journal.read_bytes()
    (dead / journal.name).write_bytes(content[: content.rindex(b'{"kind":"stop"') - 16])
    found = reported(str(dead)).output
    assert "ended without a word" in found
    assert f"next: labctl recover {dead}" in found


def test_where_no_run_is_one_error_says_so(tmp_path: Path) -> None:
    found = reported(str(tmp_path))
    assert found.exit_code == 1
