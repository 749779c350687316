"""What `SKIP` leaves out is said at the end, and nothing else is left out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

SAMPLE: Final = """
import pytest

def test_pure(): pass

@pytest.mark.browser
def test_page(): pass

@pytest.mark.cluster
def test_shards(): pass
"""


def test_every_group_runs_unless_it_is_named(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, SAMPLE)
    assert "3 passed" in lines[-1]


def test_groups_that_skip_names_are_left_out_and_named_in_the_last_line(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, SAMPLE, skip="browser, cluster")
    assert lines[-1] == "NOT RUN: browser, cluster (SKIP)"
    assert "1 passed, 2 deselected" in lines[-2]


def test_the_last_line_comes_once_from_parallel_runs(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, SAMPLE, "-n", "1", skip="browser")
    assert "2 passed" in lines[-2]
    assert [line for line in lines if line.startswith("NOT RUN")] == ["NOT RUN: browser (SKIP)"]


def test_tests_in_a_folder_of_a_group_bear_its_marker(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, "def test_kill(): pass", skip="processes", folder="fault")
    assert "1 deselected" in lines[-2]


def test_a_folder_of_unit_tests_bears_no_marker_for_its_name(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, "def test_words(): pass", skip="processes", folder="unit/processes")
    assert "1 passed" in lines[-2]


def test_a_group_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "SKIP: no such group: browsers; there are browser, cluster, processes" in "\n".join(
        run_pytest(tmp_path, SAMPLE, skip="browsers")
    )


def test_a_test_that_skips_itself_fails(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, "import pytest\ndef test_lazy(): pytest.skip('no chromium')")
    assert "1 failed" in lines[-1]
    assert "no chromium" in "\n".join(lines)


def test_a_file_that_skips_itself_fails(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, "import pytest\npytest.importorskip('no_such_module')\ndef test_lazy(): pass")
    assert "1 error" in lines[-1]


def run_pytest(folder_of_run: Path, source: str, *arguments: str, skip: str = "", folder: str = "unit") -> list[str]:
    """Run pytest on one file under the project's own settings and conftest; return what it printed, by line."""
    tests = folder_of_run / "tests"
    (tests / folder).mkdir(parents=True)
    (tests / folder / "test_sample.py").write_text(source)
    shutil.copy(ROOT / "pyproject.toml", folder_of_run)
    shutil.copy(ROOT / "tests/conftest.py", tests)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "SKIP"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    run = subprocess.run(
        command,
        cwd=folder_of_run,
        env=environment | {"SKIP": skip},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return (run.stdout + run.stderr).strip().splitlines()
