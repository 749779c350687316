"""What a process of the service imports: only what it runs. A start is mostly imports."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

WEB: Final = frozenset({"flask", "gunicorn", "jinja2", "prometheus_client", "werkzeug"})
STORE: Final = frozenset({"asyncio", "redis"})
FILES: Final = frozenset({"marshmallow", "regex", "ruamel"})
"""What campaign files are read with."""


@cache
def imported_by(modules: str) -> set[str]:
    """Return the names, up to the first dot, of all that a new process holds once it has imported modules."""
    program = f"import sys, {modules}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ("module", "strangers"),
    [
        ("adserver.cli.main, adserver.cli.serve", WEB | STORE | FILES | {"msgspec", "numpy", "rich"}),  # the supervisor
        (
            "adserver.cli.first_publication",
            WEB | FILES - {"regex"} | {"numpy", "rich"},
        ),  # and what it asks of a warm store
        ("adserver.cli.keeper", WEB | {"rich"}),
        ("adserver.runtime.worker", frozenset({"gunicorn", "numpy", "rich"})),
    ],
)
def test_a_process_imports_only_what_it_runs(module: str, strangers: frozenset[str]) -> None:
    assert imported_by(module) & strangers == set()


def test_the_master_of_the_workers_holds_their_code_before_it_forks_them() -> None:
    assert imported_by("adserver.runtime.worker") <= imported_by("adserver.runtime.gunicorn_conf")


def test_what_is_imported_is_seen() -> None:
    assert {"flask", "prometheus_client", "redis", "marshmallow"} <= imported_by("adserver.runtime.worker")
    assert "numpy" in imported_by("adserver.cli.keeper")
