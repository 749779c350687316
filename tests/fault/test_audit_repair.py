"""Redis loses everything, and a part of it stands in the archive alone: audit says so, and repairs it under load."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from outcomes import Outcome, note
from stage import Stage

from adserver.keeping.archive import ARCHIVE_NAME, archives_in

HOUR = 3600


@dataclass(frozen=True, slots=True)
class Said:
    """How `adserver audit` ended. Immutable."""

    status: int
    found: dict[str, Any]
    errors: str


def audit(stage: Stage, *options: str) -> Said:
    """Run the command as an operator does, beside the service."""
    command = (sys.executable, "-m", "adserver.cli.main", "audit", "--json", *options)
    done = subprocess.run(
        command, cwd=stage.folder, env=stage.service.environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout, done.stderr
    return Said(done.returncode, json.loads(done.stdout), done.stderr)


def put_away(stage: Stage) -> int:
    """Let so much time go by that all segments are closed, then archived; return how many were."""
    spools = [header.parent for header in (stage.service.data_dir / "spools").glob("*/header")]

    def archived() -> bool:
        return all(len(list(folder.glob("*.spool"))) == 1 for folder in spools)

    stage.clock.set(7 * HOUR)
    stage.service.await_that(lambda: all(is_closed(folder) for folder in spools))
    stage.clock.set(8 * HOUR)
    stage.service.await_that(lambda: marked(stage) >= len(spools))
    stage.clock.set(34 * HOUR)
    stage.service.await_that(archived)
    return len(archives_in(stage.service.data_dir / ARCHIVE_NAME))


def is_closed(spool: Path) -> bool:
    """Tell whether the last segment of a spool is empty."""
    return not max(spool.glob("*.spool")).stat().st_size


def marked(stage: Stage) -> int:
    """Return of how many segments the keeper has noted since when they are counted."""
    notes = stage.service.data_dir / "retention.json"
    return len(json.loads(notes.read_text())["applied_at"]) if notes.exists() else 0


def test_after_flushall_audit_repair_counts_what_only_the_archive_has(stage: Stage) -> None:
    begun = stage.readers.answered
    with stage.load(100):
        pass
    stage.assert_exact()
    files = put_away(stage)
    with stage.load():
        pass
    before = stage.assert_exact()
    sound = audit(stage)
    assert sound.status == 0, sound
    assert sound.found["records"] > before.recorded

    answered = stage.readers.answered
    with stage.redis.client() as client:
        client.flushall()
    print(f"FLUSHALL after {answered - begun} events answered, {files} segments archived")
    with stage.load():
        pass
    stage.settle()
    lost = audit(stage)
    assert lost.status == 1
    assert lost.found["gap_bytes"] > 0
    assert lost.found["differences"]
    with pytest.raises(AssertionError, match="faults"):
        stage.assert_exact()

    with stage.load():
        repaired = audit(stage, "--repair")
        during = stage.readers.answered
    assert repaired.status == 0, repaired
    assert f"{lost.found['gap_bytes']:,} bytes of gaps were counted" in repaired.errors

    balance = stage.assert_exact()
    mended = audit(stage)
    assert mended.status == 0, mended
    assert mended.found["gap_bytes"] == 0
    assert mended.found["differences"] == mended.found["flights"] == mended.found["missing"] == []
    assert mended.found["unsettled"] == 0
    note(
        Outcome(
            fault="FLUSHALL, what was archived counted again by `adserver audit --repair`",
            before=answered - begun,
            during=during - answered,
            after=stage.readers.answered - during,
            answered=balance.answered,
            recorded=balance.recorded,
            dropped=balance.dropped,
            cells=balance.cells,
            settled_seconds=0.0,
        ),
        f"{len(lost.found['differences'])} cells differed and {lost.found['gap_bytes']} bytes were gaps",
    )
