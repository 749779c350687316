"""What holds for every place and every text."""

from collections.abc import Callable
from random import Random

from examples import every_nth
from hypothesis import given, settings
from hypothesis import strategies as st

from adserver.domain.ids import PlaceId
from adserver.domain.places import Place
from adserver.places.errors import PlaceAmbiguous, PlaceNotFound
from adserver.places.folding import plain_words
from adserver.places.gazetteer import Gazetteer
from adserver.places.lines import SortedLines
from adserver.places.sphere import Nearest, kilometres, vector

GAZETTEER = Gazetteer.load()
IDS = [fields[0] for _, fields in GAZETTEER._places]

ANY_TEXT = st.text(st.characters(), max_size=300)
SCRAPS = (
    *(
        "Remer",
        "St.",
        "New",
        "York",
        "MN",
        "Minnesota",
        "Cass",
        "County",
        ",",
        ",",
        "of",
        "Town",
        "City",
        "US",
        "56672",
    ),
    *("-0001", "Washington", "d'Alene", "us-", "zip", "USA", "Co.", "ñ", "Township", ".", "us-mn-remer", "N.", "Perry"),
)
PLACE_LIKE = st.lists(st.sampled_from(SCRAPS), max_size=9).map(" ".join)
PLACES = st.sampled_from(IDS).map(PlaceId).map(GAZETTEER.get)


def test_every_place_is_found_by_its_name_and_every_chain_ends_in_the_country() -> None:
    for id_ in IDS[:: every_nth()]:
        known = GAZETTEER.get(PlaceId(id_))
        assert known is not None
        assert (known.chain[0], known.chain[-1]) == (id_, "us")
        assert found_or_named(known.name) in {known.id, known.name}, known


def found_or_named(name: str) -> str:
    """Return the id of what is found, or the name itself where the error offers it."""
    try:
        return GAZETTEER.find(name).id
    except PlaceAmbiguous as refused:
        return name if name in refused.candidates else ""


@given(st.one_of(ANY_TEXT, PLACE_LIKE))
def test_no_text_raises_and_what_resolves_is_a_place_of_the_gazetteer(text: str) -> None:
    found = GAZETTEER.resolve(text)
    assert found is None or GAZETTEER.get(found.id) == found


@settings(deadline=None)
@given(st.one_of(ANY_TEXT, PLACE_LIKE))
def test_what_a_campaign_file_finds_a_page_resolves_to(text: str) -> None:
    try:
        found = GAZETTEER.find(text)
    except (PlaceNotFound, PlaceAmbiguous):
        return
    assert GAZETTEER.resolve(text) == found


@given(PLACES, st.sampled_from([str.upper, str.lower, str.title]), st.sampled_from(["", " ", "  \t"]))
def test_case_and_blanks_do_not_matter(known: Place | None, case: Callable[[str], str], blanks: str) -> None:
    assert known is not None
    text = blanks + case(known.name).replace(",", f"{blanks},{blanks}") + blanks
    assert GAZETTEER.resolve(text) == GAZETTEER.resolve(known.name)


@given(ANY_TEXT)
def test_words_are_plain_and_fold_no_further(text: str) -> None:
    words = plain_words(text)
    assert plain_words(" ".join(words)) == words


@given(st.dictionaries(st.text("abc-:", max_size=5), st.text("xyz", max_size=3)), st.text("abc-:", max_size=5))
def test_sorted_lines_agree_with_a_dict(known: dict[str, str], sought: str) -> None:
    lines = SortedLines(b"".join(sorted(f"{key}\t{value}\n".encode() for key, value in known.items())))
    expected = known.get(sought)
    assert lines.find(sought) == (None if expected is None else [expected])
    assert all(lines.find(key) == [value] for key, value in known.items())


@given(st.integers(0, 10**9), st.integers(1, 3))
def test_nearest_agrees_with_measuring_everything(seed: int, count: int) -> None:
    """Eighty points lie in more cells of the grid than are looked at first, and leave most of those empty."""
    chance = Random(seed)
    at, *others = [vector(chance.uniform(44, 50), chance.uniform(-96, -90)) for _ in range(81)]
    found = Nearest(dict(enumerate(others))).to(at, count)
    assert [distance for distance, _ in found] == sorted(kilometres(at, other) for other in others)[:count]
