"""How findings are told: in words and colours, or as JSON."""

import json
from collections.abc import Sequence
from typing import Final

import click

from adserver.processes.findings import Finding, Severity

_COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def show_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print them, the worst first as they come; exits 1 where an error is among them."""
    if as_json:
        click.echo(json.dumps({"findings": [_to_json(finding) for finding in findings]}))
    else:
        _show(findings)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise SystemExit(1)


def _to_json(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "problem": finding.problem,
        "remedy": finding.remedy,
    }


def _show(findings: Sequence[Finding]) -> None:
    for finding in findings:
        click.secho(f"{finding.severity.value} {finding.code}", fg=_COLOURS[finding.severity], bold=True)
        click.echo(f"  {finding.problem}")
        click.echo(f"  mend: {finding.remedy}")
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = sum(finding.severity is Severity.WARNING for finding in findings)
    click.echo("all is well" if not findings else f"{_number(errors, 'error')}, {_number(warnings, 'warning')}")


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
