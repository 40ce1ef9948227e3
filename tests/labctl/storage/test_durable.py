import os
import subprocess
import sys
from pathlib import Path

import pytest

from labctl.storage._durable import create_exclusively, is_held, replace, sync_directory


def test_a_journal_is_held_while_its_writer_lives(tmp_path: Path) -> None:
    path = tmp_path / "a.lcj"
    descriptor = create_exclusively(path)
    assert is_held(path)
    assert is_held(path)
    os.close(descriptor)
    assert not is_held(path)


def test_the_lock_ends_with_the_process(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from labctl.storage._durable import create_exclusively;"
        "create_exclusively(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    path = tmp_path / "a.lcj"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"held"
        assert is_held(path)
        child.kill()
        child.wait()
    assert not is_held(path)


def test_the_content_can_be_read_while_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "a.lcj"
    descriptor = create_exclusively(path)
    os.write(descriptor, b"abc")
    assert path.read_bytes() == b"abc"
    os.close(descriptor)


def test_replacing_takes_the_place_of_the_old_file(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    new.write_text("new", encoding="utf-8")
    old.write_text("old", encoding="utf-8")
    assert replace(new, old) == old
    assert (old.read_text(encoding="utf-8"), new.exists()) == ("new", False)


@pytest.mark.parametrize(("refusals", "name"), [(4, "a.nxs"), (5, "a.nxs.2")])
def test_a_file_in_use_is_tried_again_and_then_numbered(
    refusals: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "a.nxs.part", tmp_path / "a.nxs"
    for path in (source, target, tmp_path / "a.nxs.1"):
        path.write_text(path.name, encoding="utf-8")
    real, left, pauses = Path.replace, [refusals], list[float]()

    def refuse(path: Path, to: Path) -> Path:
        if to == target and left[0]:
            left[0] -= 1
            raise PermissionError(13, "in use")
        return real(path, to)

    monkeypatch.setattr(Path, "replace", refuse)
    assert replace(source, target, pause=pauses.append) == tmp_path / name
    assert pauses == [0.2] * 4
    assert (tmp_path / name).read_text(encoding="utf-8") == "a.nxs.part"
    assert (tmp_path / "a.nxs.1").read_text(encoding="utf-8") == "a.nxs.1"


def test_syncing_a_directory_is_allowed_everywhere(tmp_path: Path) -> None:
    sync_directory(tmp_path)
