"""The rules that the test suite sets itself are in force."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).parents[1] / "conftest.py"


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    return pytester


def test_a_thread_left_behind_fails_its_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import threading

        stop = threading.Event()

        def test_leaks():
            threading.Thread(target=stop.wait, args=(30,), name="lost", daemon=True).start()

        def test_does_not_leak():
            thread = threading.Thread(target=lambda: None)
            thread.start()

        def test_end():
            stop.set()
        """
    )
    result = suite.runpytest("-p", "no:cacheprovider", "-p", "no:xdist")
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*left behind: thread 'lost'*"])


def test_a_socket_left_open_fails_its_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import socket

        kept = []

        def test_leaks():
            kept.extend(socket.socketpair())

        def test_closes():
            for one in kept:
                one.close()

        def test_does_not_leak():
            with socket.create_server(("127.0.0.1", 0)) as server:
                with socket.create_connection(server.getsockname()[:2]):
                    accepted, _ = server.accept()
                    accepted.close()
        """
    )
    result = suite.runpytest("-p", "no:cacheprovider", "-p", "no:xdist")
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*left behind: open socket*"])


def test_a_skip_without_reason_is_a_failure(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest

        def test_bare():
            pytest.skip()

        @pytest.mark.skip
        def test_marked():
            pass

        def test_explained():
            pytest.skip("no camera on this desk")
        """
    )
    result = suite.runpytest("-p", "no:cacheprovider", "-p", "no:xdist")
    result.assert_outcomes(failed=1, errors=1, skipped=1)


def test_each_share_is_timed_beside_its_budget(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABCTL_SHARE_SECONDS", "set-up=90 checks=121")
    for folder in ("faults", "nexus", "labctl"):
        path = suite.path / "tests" / folder / f"test_share_of_{folder}.py"
        path.parent.mkdir(parents=True)
        path.write_text("def test_one():\n    pass\n", encoding="utf-8")
    result = suite.runpytest("-p", "no:cacheprovider", "-p", "no:xdist", "--import-mode=importlib")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "set-up * 1.50 min of 8 min",
            "checks * 2.02 min of 2 min  OVER BUDGET",
            "unit and contract * 0.00 min of 8 min",
            "faults * 0.00 min of 6 min",
            "clients and NeXus * 0.00 min of 5 min",
            "*3 passed*",
        ]
    )
