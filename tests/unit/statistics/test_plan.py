import pytest

from adserver.counting.cells import Family
from adserver.domain.errors import Fault
from adserver.statistics.errors import QueryRefused
from adserver.statistics.metrics import Counter
from adserver.statistics.parsing import parse_query
from adserver.statistics.plan import make_plan
from adserver.statistics.query import Query


def query(metrics: str, dimensions: str = "", *filters: list[object]) -> Query:
    return parse_query(
        {"metrics": metrics.split(), "dimensions": dimensions.split(), "date_range": "day", "filters": [*filters]}
    )


def faults_of(asked: Query) -> tuple[Fault, ...]:
    with pytest.raises(QueryRefused) as caught:
        make_plan(asked)
    return caught.value.faults


@pytest.mark.parametrize(
    ("asked", "family"),
    [
        (query("clicks"), Family.HOURS),
        (query("clicks decisions", "advertiser campaign flight creative variant slot site"), Family.HOURS),
        (query("clicks", "time:hour time:day time:week time:month"), Family.HOURS),
        (query("invalid", "event reason flight time:hour"), Family.HOURS),
        (query("decisions", "reason slot site time:hour"), Family.HOURS),
        (query("decisions", "reason slot site place state time:week"), Family.PLACES),
        (query("clicks fills", "place county state country flight creative variant time:day"), Family.PLACES),
        (query("clicks", "flight", ["is", "state", ["us-mn"]]), Family.PLACES),
        (query("fill_rate", "state slot time:day"), Family.PLACES),
        (query("invalid gross", "county"), Family.PLACES),
        (query("clicks", "topic advertiser campaign flight slot site time:day time:month"), Family.TOPICS),
        (query("fill_rate", "topic"), Family.TOPICS),
        (query("fill_rate", "site time:hour"), Family.HOURS),
    ],
)
def test_the_family_that_keeps_all_of_it_answers(asked: Query, family: Family) -> None:
    assert make_plan(asked).family is family


@pytest.mark.parametrize(
    ("asked", "paths", "words"),
    [
        (query("clicks", "place topic"), ["dimensions[0]", "dimensions[1]"], "`place`, `topic`"),
        (query("clicks", "place time:hour"), ["dimensions[0]", "dimensions[1]"], "`place`, `time:hour`"),
        (query("clicks", "topic time:hour"), ["dimensions[0]", "dimensions[1]"], "`topic`, `time:hour`"),
        (query("clicks", "topic creative"), ["dimensions[0]", "dimensions[1]"], "`creative`, `topic`"),
        (query("clicks", "topic variant"), ["dimensions[0]", "dimensions[1]"], "`variant`, `topic`"),
        (query("clicks", "time:hour", ["is", "state", ["us-mn"]]), ["dimensions[0]", "filters[0]"], "`state`"),
        (query("clicks", "topic", ["not", ["is", "place", ["us"]]]), ["dimensions[0]", "filters[0]"], "`place`"),
        (query("invalid", "event place"), ["dimensions[0]", "dimensions[1]"], "`place`, `event`"),
        (query("invalid", "reason county"), ["dimensions[0]", "dimensions[1]"], "`county`, `reason`"),
        (query("invalid", "reason topic"), ["dimensions[0]", "dimensions[1]"], "`topic`, `reason`"),
        (query("decisions", "reason topic"), ["dimensions[0]", "dimensions[1]"], "`topic`, `reason`"),
    ],
)
def test_what_is_kept_apart_is_refused_with_what_goes_together(asked: Query, paths: list[str], words: str) -> None:
    faults = faults_of(asked)
    assert [fault.path for fault in faults] == paths
    assert all(words in fault.message for fault in faults)
    assert ["Kept together are" in fault.message for fault in faults] == [False] * (len(faults) - 1) + [True]


@pytest.mark.parametrize(
    ("asked", "path", "words"),
    [
        (query("reach", "flight time:week"), "dimensions[1]", "`flight` and `time:day` only, not `time:week`"),
        (query("clicks reach", "campaign"), "dimensions[0]", "not `campaign`"),
        (query("reach", "flight", ["is", "slot", ["masthead"]]), "filters[0]", "not `slot`"),
        (query("clicks", "event"), "dimensions[0]", "`invalid` alone"),
        (query("invalid clicks", "flight event"), "dimensions[1]", "`invalid` alone"),
        (query("clicks", "", ["is", "event", ["seen"]]), "filters[0]", "`invalid` alone"),
        (query("decisions invalid", "reason"), "dimensions[0]", "or with `invalid` alone"),
        (query("decisions fills", "reason"), "dimensions[0]", "`decisions` alone"),
        (query("impressions", "slot reason"), "dimensions[1]", "`decisions` alone"),
        (query("decisions", "reason flight"), "dimensions[1]", "slot, site, place and time"),
        (query("decisions", "reason", ["is", "variant", ["short"]]), "filters[0]", "slot, site, place and time"),
        (query("fill_rate", "flight"), "dimensions[0]", "`fill_rate` does not go with `flight`"),
        (query("fill_rate", "campaign"), "dimensions[0]", "`campaign`"),
        (query("fill_rate", "advertiser"), "dimensions[0]", "`advertiser`"),
        (query("clicks fill_rate", "creative"), "dimensions[0]", "`creative`"),
        (query("fill_rate", "slot", ["is", "variant", ["long"]]), "filters[0]", "`variant`"),
        (query("clicks", "", ["is", "variant", ["huge"]]), "filters[0]", "(none), auto, long, name, short"),
        (query("invalid", "", ["is", "event", ["view"]]), "filters[0]", "click, seen, viewable"),
        (query("invalid", "", ["is", "reason", ["goal_met"]]), "filters[0]", "bot, duplicate"),
        (query("decisions", "", ["is_not", "reason", ["bot"]]), "filters[0]", "(fill)"),
    ],
)
def test_what_means_nothing_is_refused(asked: Query, path: str, words: str) -> None:
    (fault,) = faults_of(asked)
    assert fault.path == path
    assert words in fault.message


def test_only_what_is_asked_for_is_added_up() -> None:
    assert make_plan(query("ctr revenue")).counters == {Counter.CLICKS, Counter.IMPRESSIONS}
    assert make_plan(query("fill_rate")).counters == {Counter.FILLS, Counter.DECISIONS}
