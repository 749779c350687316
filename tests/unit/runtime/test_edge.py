"""What the edge of a worker is made of."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adserver.catalog.compiled import Compiled, write_compiled
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.counting.salts import Salt, SaltWatch, write_salts
from adserver.domain.catalog import Catalog, Site, Slot
from adserver.domain.ids import Kind, SiteId, SlotId, id_hash
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.runtime.edge import make_edge

SITE = Site(SiteId("paper"), "Paper", "https://paper.example/", "America/Chicago")
NOON = datetime(2026, 6, 15, 17, tzinfo=UTC)
EVENING = datetime(2026, 6, 16, 2, 30, tzinfo=UTC)
"""Half past nine of the 15th in Chicago."""
NEXT_NOON = datetime(2026, 6, 16, 17, tzinfo=UTC)


def token(at: datetime) -> Token:
    return Token(
        issuer=bytes(6),
        shard=0,
        sequence=0,
        issued_second=int(at.timestamp()),
        flight=id_hash(Kind.FLIGHT, "flight"),
        creative=id_hash(Kind.CREATIVE, "creative"),
        slot=id_hash(Kind.SLOT, "masthead"),
        place=Kind.PLACE.unknown,
        topic=Kind.TOPIC.none,
        variant=Variant.AUTO,
    )


@pytest.mark.parametrize("published", [True, False])
def test_a_reader_is_told_apart_by_the_day_of_the_site(tmp_path: Path, published: bool) -> None:
    day = (date(2026, 6, 15) - date(1970, 1, 1)).days
    write_salts(tmp_path, tuple(Salt(day + at, letter * 32, 0.0, agreed=True) for at, letter in enumerate("ab")))
    if published:
        catalog = Catalog(sites=(SITE,), slots=(Slot(SlotId("masthead"), SITE.id, 140),))
        write_compiled(tmp_path / COMPILED_NAME, Compiled(1, catalog))
    watch, salts = CatalogWatch(tmp_path / COMPILED_NAME), SaltWatch(tmp_path)
    watch.poll()
    assert salts.poll()
    edge = make_edge(Settings.from_environ({}), watch, salts, lambda: EVENING)

    noon, evening, next_noon = (
        edge.readers.cut(token(at), "203.0.113.7", "Firefox") for at in (NOON, EVENING, NEXT_NOON)
    )
    assert 0 not in (noon, evening, next_noon)
    assert noon != next_noon
    assert evening == (noon if published else next_noon)
