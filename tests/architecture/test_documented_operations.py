"""What operators read is so: every metric and every finding of the doctor stands in the documents, and no others."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from adserver.cli import doctor as doctor_command
from adserver.processes import host_checks, service_checks, store_checks
from adserver.web.metrics import METRICS, MetricSpec

ROOT: Final = Path(__file__).parents[2]
METRICS_PAGE: Final = (ROOT / "docs/metrics.md").read_text()
DOCTOR_PAGE: Final = (ROOT / "docs/doctor.md").read_text()
MODULES: Final = (host_checks, service_checks, store_checks, doctor_command)


@pytest.mark.parametrize("spec", METRICS, ids=lambda spec: spec.name)
def test_a_metric_is_documented_as_the_code_has_it(spec: MetricSpec) -> None:
    labels = ", ".join(f"`{label}`" for label in spec.labels) or "none"
    assert f"| `{spec.name}` | {spec.kind} | {labels} | {spec.meaning} |" in METRICS_PAGE.splitlines()


def test_no_metric_is_documented_that_is_not_there() -> None:
    named = re.findall(r"\badserver_\w+", METRICS_PAGE)
    assert set(named) <= {spec.name for spec in METRICS}


def test_every_finding_of_the_doctor_is_documented_with_its_weight_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", DOCTOR_PAGE, re.MULTILINE))
    found = dict(found for module in MODULES for found in findings_in(module))

    assert set(rows) == {*found, "dropped_late", "dropped_corrupt"}
    for code, severities in found.items():
        assert set(rows[code].split(", ")) == severities


def findings_in(module: ModuleType) -> Iterator[tuple[str, set[str]]]:
    """Yield code and severities of each finding that a module makes under a constant code."""
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text())):
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "Finding"
            and isinstance(node.args[0], ast.Constant)
        ):
            yield (
                str(node.args[0].value),
                {word.lower() for word in re.findall("ERROR|WARNING|INFO", ast.unparse(node.args[1]))},
            )
