"""What is wrong with a set-up, and how to mend it. Pure: facts in, findings out; `examination` gathers the facts."""

from collections.abc import Callable, Iterator
from typing import Final

from adserver.processes.facts import Facts
from adserver.processes.findings import Finding, Severity
from adserver.processes.host_checks import check_disk, check_folder, check_reader_places, check_settings
from adserver.processes.service_checks import check_alerts, check_counts, check_embeds, check_keeper, check_snapshot
from adserver.processes.store_checks import check_redis

_CHECKS: Final[tuple[Callable[[Facts], Iterator[Finding]], ...]] = (
    check_folder,
    check_disk,
    check_reader_places,
    check_redis,
    check_keeper,
    check_snapshot,
    check_counts,
    check_embeds,
    check_alerts,
    check_settings,
)


def diagnose(facts: Facts) -> tuple[Finding, ...]:
    """Return what is to be looked at, the worst first."""
    order = list(Severity)
    findings = [finding for check in _CHECKS for finding in check(facts)]
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))
