from pathlib import Path

from adserver.counting.drops import dropped_events
from adserver.counting.spool import SpoolWriter


def test_drops_are_summed_over_all_spools_while_these_are_written(tmp_path: Path) -> None:
    writers = [SpoolWriter.open_in(tmp_path) for _ in range(2)]
    writers[0].declare_dropped(3)
    writers[1].declare_dropped(4)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "header").write_bytes(b"no header")

    assert dropped_events(tmp_path) == 7
    for writer in writers:
        writer.close()


def test_without_spools_nothing_was_dropped(tmp_path: Path) -> None:
    assert dropped_events(tmp_path / "none") == 0
