import json
import subprocess
import sys
from pathlib import Path

import pytest

from labctl.storage import environment
from labctl.storage._environment import git_revision


def test_the_environment_names_what_ran() -> None:
    found = environment()
    assert found["python"].split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert found["packages"]["numpy"]
    assert found["packages"]["labctl"]
    assert found["os"]
    json.dumps(found)


def test_it_is_collected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = environment()
    monkeypatch.setattr("labctl.storage._environment._packages", dict[str, str])
    assert environment() == first


def git(folder: Path, *arguments: str) -> str:
    words = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def test_the_revision_tells_changed_sources(tmp_path: Path) -> None:
    assert git_revision(tmp_path) == ""
    git(tmp_path, "init", "-q")
    source = tmp_path / "_environment.py"
    source.write_text("one = 1\n", encoding="utf-8")
    assert git_revision(tmp_path) == ""
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_revision(tmp_path) == commit
    source.write_text("one = 2\n", encoding="utf-8")
    assert git_revision(tmp_path) == f"{commit}-dirty"


def test_without_git_there_is_no_revision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_revision(tmp_path) == ""
