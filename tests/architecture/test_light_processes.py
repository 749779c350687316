"""What a process does not need, it does not load."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["adserver.runtime.worker", "adserver.cli.main", "adserver.cli.backing"])
def test_only_the_keeper_carries_numpy(module: str) -> None:
    loaded = f"import {module}, sys; print('numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True) == "False\n"


def test_the_keeper_does() -> None:
    loaded = "import adserver.runtime.keeper, sys; print('numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True) == "True\n"
