import pytest
from statistics_world import World

from adserver.counting.losses import Losses
from adserver.statistics.rendering import to_document
from adserver.statistics.standing import CountStanding


def meta_of(standing: CountStanding) -> object:
    world = World()
    world.standing.standing = standing
    return to_document(world.ask("clicks"))["meta"]


@pytest.mark.parametrize("standing", [CountStanding(), CountStanding(backlog_bytes=640, lag_seconds=1.9)])
def test_nothing_is_said_while_nothing_is_missing(standing: CountStanding) -> None:
    assert meta_of(standing) == {"total_rows": 1}


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        (Losses(gaps=2), "2 ranges of events were lost"),
        (Losses(unwritten=7), "7 events could not be written"),
        (Losses(corrupt=3), "3 records were damaged"),
        (Losses(late=5), "5 events came too late"),
    ],
)
def test_each_kind_of_loss_is_said(losses: Losses, words: str) -> None:
    (warning,) = CountStanding(losses).warnings()
    assert words in warning


def test_what_is_missing_is_told_in_words_and_numbers() -> None:
    meta = meta_of(CountStanding(Losses(gaps=1, unwritten=4), backlog_bytes=6_400, lag_seconds=61.23456))

    assert isinstance(meta, dict)
    assert len(meta["warnings"]) == 3
    assert "events of the last 61 s" in meta["warnings"][2]
    assert meta["counting"] == {
        "gaps": 1,
        "dropped": {"late": 0, "corrupt": 0, "unwritten": 4},
        "backlog_bytes": 6_400,
        "lag_seconds": 61.235,
    }
