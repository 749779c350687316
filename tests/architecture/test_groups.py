"""What `SKIP` leaves out is said at the end, and nothing else is left out."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
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
    lines = run_pytest(tmp_path, {"unit/test_sample.py": SAMPLE})
    assert "3 passed" in lines[-1]


def test_groups_that_skip_names_are_left_out_and_named_in_the_last_line(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, {"unit/test_sample.py": SAMPLE}, skip="browser, cluster")
    assert lines[-1] == "NOT RUN: browser, cluster (SKIP)"
    assert "1 passed, 2 deselected" in lines[-2]


def test_the_last_line_comes_once_from_parallel_runs(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, {"unit/test_sample.py": SAMPLE}, "-n", "1", skip="browser")
    assert "2 passed" in lines[-2]
    assert [line for line in lines if line.startswith("NOT RUN")] == ["NOT RUN: browser (SKIP)"]


def test_tests_in_a_folder_of_a_group_bear_its_marker_and_in_one_of_unit_tests_of_its_name_none(tmp_path: Path) -> None:
    sources = {"fault/test_kill.py": "def test_kill(): pass", "unit/processes/test_words.py": "def test_words(): pass"}
    lines = run_pytest(tmp_path, sources, "-v", skip="processes")
    assert "1 passed, 1 deselected" in lines[-2]
    assert any("test_words" in line and "PASSED" in line for line in lines)


def test_a_group_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    said = "\n".join(run_pytest(tmp_path, {"unit/test_sample.py": SAMPLE}, skip="browsers"))
    assert "SKIP: no such group: browsers; there are browser, cluster, processes" in said


def test_a_test_and_a_file_that_skip_themselves_fail(tmp_path: Path) -> None:
    sources = {
        "unit/test_lazy.py": "import pytest\ndef test_lazy(): pytest.skip('no chromium')",
        "unit/test_lazy_file.py": "import pytest\npytest.importorskip('no_such_module')\ndef test_lazier(): pass",
    }
    lines = run_pytest(tmp_path, sources, "--continue-on-collection-errors")
    assert "1 failed, 1 error" in lines[-1]
    assert "no chromium" in "\n".join(lines)


def run_pytest(folder_of_run: Path, sources: Mapping[str, str], *arguments: str, skip: str = "") -> list[str]:
    """Run pytest on some files under the project's own settings and conftest; return what it printed, by line."""
    tests = folder_of_run / "tests"
    for name, source in sources.items():
        (tests / name).parent.mkdir(parents=True, exist_ok=True)
        (tests / name).write_text(source)
    shutil.copy(ROOT / "pyproject.toml", folder_of_run)
    shutil.copy(ROOT / "tests/conftest.py", tests)
    (tests / "support").symlink_to(ROOT / "tests/support")
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
