"""Build adserver/places/data/us.tsv.gz, the gazetteer of the United States, from Census files that Debian packages.

    apt-get install weather-util-data        # or unpack its .deb anywhere: dpkg -x weather-util-data_*.deb FOLDER
    python scripts/build_gazetteer.py [--source FOLDER/usr/share/weather-util] [--to FILE]

The same source gives the same bytes. What is taken, and how counties and ZIPs are found: docs/adr/0005-gazetteer.md.
"""

import argparse
import gzip
import math
import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout, installed or not

from adserver.domain.ids import Kind, id_hash
from adserver.places.census import SOURCE, Section, read, zips_of
from adserver.places.folding import key, plain_words, slug
from adserver.places.gazetteer import HEADER
from adserver.places.sphere import Nearest, Vector, degrees, kilometres, middle
from adserver.places.states import COUNTRY_NAME, STATES

TARGET: Final = Path(__file__).parents[1] / "adserver/places/data/us.tsv.gz"

SAME_NAME_KILOMETRES: Final = 30.0
"""How far a subdivision of the same name may lie and still tell a place's county."""
ZIP_RATIO: Final = 2.0
"""How many times nearer than the next town a ZIP's town must be."""

PLACE_KINDS: Final = re.compile(
    r" (CDP|city and borough|metro township|city|town|village|borough|comunidad|zona urbana|municipality|corporation"
    r"|unified government|consolidated government|metropolitan government|metro government|urban county)$"
)
SUBDIVISION_KINDS: Final = re.compile(
    r" (charter township|township|city|town|village|borough|municipality|plantation|grant|gore|purchase|location"
    r"|Reservation)$"
)
UNNAMED: Final = re.compile(r"^(Township|District|Precinct) |\d|\bnot defined$")
KINDS_IN_THE_NAME: Final = frozenset({"Township", "Plantation", "Grant", "Gore", "Purchase", "Location", "Reservation"})
"""`Perry Township` and `Rangeley Plantation` carry their kind; `Brookline` does not."""
SETTLEMENTS: Final = frozenset({"CDP", "comunidad"})
"""Places that the Census outlines for statistics: they govern nothing."""

NEW_ENGLAND: Final = frozenset({"ct", "ma", "me", "nh", "ri", "vt"})
TOWN_KINDS: Final = frozenset({"town", "city"})
"""In New England the subdivisions of these kinds are the towns."""
COUNTY_KINDS: Final = re.compile(
    r" (County|Parish|(City and )?Borough|Census Area|Municipality|Municipio|Planning Region)$"
)

COMMON_NAMES: Final = {  # what people and pages write, where the Census has a merged or former name
    "0622300": "Paso Robles",
    "0665042": "Ventura",
    "1234132": "Islamorada",
    "1303440": "Athens",
    "1304204": "Augusta",
    "1321017": "Cusseta",
    "1332528": "Georgetown",
    "1349008": "Macon",
    "1571550": "Honolulu",
    "1608830": "Boise",
    "2146027": "Lexington",
    "2148006": "Louisville",
    "3001675": "Anaconda",
    "3011397": "Butte",
    "4732742": "Hartsville",
    "4744382": "Lynchburg",
    "4752006": "Nashville",
}
WHOLE_COUNTIES: Final = frozenset({"1326156", "1381128", "2028412"})
"""Places that are their county under the county's own name: the county stands for both."""
COUNTIES_OF_TOWNS: Final = {"3651000": "36061"}
"""New York city spans five counties; its post town is New York County."""


@dataclass(frozen=True, slots=True)
class County:
    """A county, or what stands for one. Immutable."""

    state: str
    name: str
    at: Vector

    @property
    def id(self) -> str:
        """Its place id: `us-mn-cass-county`."""
        return f"us-{self.state}-{slug(self.name)}"


@dataclass(frozen=True, slots=True)
class Town:
    """A place of the Census, or a county subdivision that people name. Immutable."""

    fips: str
    state: str
    name: str
    kind: str
    at: Vector
    county: str
    """FIPS code."""
    others: tuple[str, ...] = ()
    """Further names that mean it."""
    id: str = ""
    """Its place id, given once twins are known."""
    full_name: str = ""
    """Its name with its state, and with its county where it has twins; given with the id."""

    @property
    def is_place(self) -> bool:
        """Whether the Census has it as a place, not only as a part of a county."""
        return len(self.fips) == 7

    @property
    def may_be_post_town(self) -> bool:
        """Whether it governs itself as a city, town, village or borough."""
        return self.kind not in SETTLEMENTS and self.kind not in KINDS_IN_THE_NAME


@cache
def name_key(name: str) -> str:
    """Return the one key of a name's spellings."""
    return key(plain_words(name))


def counties_of(sections: list[Section]) -> dict[str, County]:
    """Return the counties by FIPS code; an independent city is named apart from its town: `City of Richmond`."""
    counties = {}
    for section in sections:
        if len(section.code) == 5:
            city = section.name.removesuffix(" city")
            independent = city != section.name or section.name == "Carson City"
            counties[section.code] = County(
                section.state, f"City of {city}" if independent else section.name, section.at
            )
    return counties


class CountyFinder:
    """Tells the county of a place, which the source doesn't, from the county subdivisions around it. Immutable."""

    def __init__(self, sections: list[Section]) -> None:
        """Take all entries of the source."""
        subdivisions = [section for section in sections if len(section.code) == 10]
        self._named: dict[tuple[str, str], list[Section]] = defaultdict(list)
        by_state: dict[str, dict[str, Vector]] = defaultdict(dict)
        for section in subdivisions:
            by_state[section.state][section.code] = section.at
            self._named[section.state, name_key(bare_name(section.name))].append(section)
        self._nearest = {state: Nearest(points) for state, points in by_state.items()}

    def county(self, state: str, at: Vector, name: str = "") -> str:
        """Return the FIPS code of the county: of the nearest subdivision of that name nearby, else of the nearest."""
        named = self._named.get((state, name_key(name)), [])
        near = min(((kilometres(at, section.at), section.code) for section in named), default=(math.inf, ""))
        if near[0] <= SAME_NAME_KILOMETRES:
            return near[1][:5]
        return self._nearest[state].to(at, 1)[0][1][:5]


def bare_name(name: str) -> str:
    """Return a subdivision's name without its kind."""
    return re.sub(r" (CCD|UT|[a-z -]+)$", "", name)


def places_of(sections: list[Section], finder: CountyFinder) -> Iterator[Town]:
    """Give the Census's places, under the names that people write."""
    for section in sections:
        if len(section.code) != 7 or section.code in WHOLE_COUNTIES:
            continue
        whole = section.name.replace(" (balance)", "")
        kind = PLACE_KINDS.search(whole)
        official = whole[: kind.start()] if kind else whole
        outside, _, inside = official.rstrip(")").partition(" (")
        name = COMMON_NAMES.get(section.code, outside)
        others = tuple(other for other in (outside, inside) if other not in ("", name))
        county = COUNTIES_OF_TOWNS.get(section.code) or finder.county(section.state, section.at, name)
        yield Town(section.code, section.state, name, kind[1] if kind else "city", section.at, county, others)


def subdivisions_of(sections: list[Section]) -> Iterator[Town]:
    """Give the parts of counties that people name: towns, townships and the like, not districts for statistics."""
    for section in sections:
        kind = SUBDIVISION_KINDS.search(section.name)
        if len(section.code) != 10 or kind is None or UNNAMED.search(section.name):
            continue
        bare, word = section.name[: kind.start()].partition(" (")[0], kind[1].removeprefix("charter ")
        if word.capitalize() in KINDS_IN_THE_NAME:
            word = word.capitalize()
            yield Town(section.code, section.state, f"{bare} {word}", word, section.at, section.code[:5], (bare,))
        else:
            yield Town(section.code, section.state, bare, word, section.at, section.code[:5])


def merged(places: list[Town], subdivisions: list[Town]) -> list[Town]:
    """Return the places, and the subdivisions that are not the same community; a place keeps the bare name.

    A city, village, borough or town that is also a place is one community; so is a town or township with a settlement
    of its name in its county. A township's name then means the place too.
    """
    by_name = grouped(places)
    kept, more = [], defaultdict[str, set[str]](set)
    for town in subdivisions:
        township = town.kind in KINDS_IN_THE_NAME
        bare = town.others[0] if township else town.name
        twins = by_name.get((town.state, name_key(bare)), [])
        same = [twin for twin in twins if twin.kind == town.kind or settles(twin, town)]
        for twin in same:
            more[twin.fips].update({town.name} - {bare})
        if not twins:
            kept.append(town)
        elif not same:
            name = town.name if township else f"Town of {bare}"
            kept.append(replace(town, name=name, others=(f"{bare} {town.kind}",)))
    return [replace(place, others=(*place.others, *sorted(more[place.fips]))) for place in places] + kept


def settles(place: Town, town: Town) -> bool:
    """Say whether a place is the settlement of a town or township of its name."""
    return place.kind in SETTLEMENTS and place.county == town.county


def grouped(towns: list[Town]) -> dict[tuple[str, str], list[Town]]:
    """Return the towns by state and key of their name."""
    groups: dict[tuple[str, str], list[Town]] = defaultdict(list)
    for town in towns:
        groups[town.state, name_key(town.name)].append(town)
    return groups


def alone_in_county(group: list[Town]) -> Iterator[Town]:
    """Give, of towns of one name, one a county: cities first; a village or town beside it is named by its kind."""
    seen: set[str] = set()
    for town in sorted(group, key=lambda town: (town.kind != "city", town.kind in SETTLEMENTS, town.fips)):
        if town.county not in seen:
            seen.add(town.county)
            yield town
        elif town.kind in {"village", "town"}:
            yield replace(town, name=f"{town.kind.capitalize()} of {town.name}")


def told_apart(towns: list[Town], counties: Mapping[str, County]) -> list[Town]:
    """Return the towns with an id each: twins in a state append their county to id and name."""
    single = [town for group in grouped(towns).values() for town in alone_in_county(group)]
    named = []
    for group in grouped(single).values():
        for town in group:
            county = counties[town.county]
            twin = len(group) > 1
            local = f"{slug(town.name)}-{slug(county.name)}" if twin else slug(town.name)
            full = f"{town.name}, {county.name}" if twin else town.name
            named.append(replace(town, id=f"us-{town.state}-{local}", full_name=f"{full}, {town.state.upper()}"))
    return named


def post_towns(zips: list[Section], towns: list[Town]) -> dict[str, Town]:
    """Return the town of each ZIP for which it is beyond doubt; the source has no post towns, only middles.

    Town and ZIP must be each other's nearest, the town a government, and the next town twice as far away.
    """
    candidates = [town for town in towns if town.is_place or (town.state in NEW_ENGLAND and town.kind in TOWN_KINDS)]
    by_id = {town.id: town for town in candidates}
    found = {}
    for state in STATES:
        zips_here = {zip_.code: zip_.at for zip_ in zips if zip_.state == state}
        nearest_town = Nearest({town.id: town.at for town in candidates if town.state == state})
        nearest_zip = Nearest(zips_here)
        for code, at in zips_here.items():
            (near, first), *rest = nearest_town.to(at, 2)
            town = by_id[first]
            clear = not rest or rest[0][0] >= ZIP_RATIO * near
            if clear and town.may_be_post_town and nearest_zip.to(town.at, 1)[0][1] == code:
                found[code] = town
    return found


def key_lines(towns: list[Town], counties: Collection[County], post: Mapping[str, Town]) -> Iterator[str]:
    """Give the lines of keys: state and name's key, and the ids it means; a place's own name goes before the rest."""
    ranked: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))

    def add(rank: int, state: str, name: str, id_: str) -> None:
        ranked[f"{state}:{name_key(name)}"][rank].add(id_)

    for town in towns:
        add(0 if town.is_place else 1, town.state, town.name, town.id)
        for other in town.others:
            add(1 if town.is_place else 2, town.state, other, town.id)
    for county in counties:
        add(0, county.state, county.name, county.id)
        add(3, county.state, COUNTY_KINDS.sub("", county.name), county.id)
        add(3, county.state, re.sub(r"^City of (.*)", r"\1 city", county.name), county.id)
        add(3, county.state, county.name.replace(" City and Borough", " Borough"), county.id)
    for code, town in post.items():
        ranked[f"zip:{code}"][0].add(town.id)
    for sought, ranks in ranked.items():
        yield f"{sought}\t{' '.join(sorted(ranks[min(ranks)]))}\n"


def row_lines(
    towns: list[Town], counties: Mapping[str, County], zips: list[Section], finder: CountyFinder
) -> Iterator[str]:
    """Give the lines of places: id, level, name, id of what contains it, latitude and longitude."""
    for town in towns:
        yield row(town.id, "town", town.full_name, counties[town.county].id, town.at)
    for zip_ in zips:
        yield row(f"us-zip-{zip_.code}", "zip", zip_.code, counties[finder.county(zip_.state, zip_.at)].id, zip_.at)
    for county in counties.values():
        yield row(county.id, "county", f"{county.name}, {county.state.upper()}", f"us-{county.state}", county.at)
    for state, name in STATES.items():
        at = middle(county.at for county in counties.values() if county.state == state)
        yield row(f"us-{state}", "state", name, "us", at)
    yield row("us", "country", COUNTRY_NAME, "", middle(county.at for county in counties.values()))


def row(id_: str, level: str, name: str, parent: str, at: Vector) -> str:
    """Return one line of places."""
    latitude, longitude = degrees(at)
    return f"{id_}\t{level}\t{name}\t{parent}\t{latitude:.4f}\t{longitude:.4f}\n"


def build(source: Path) -> bytes:
    """Return the gazetteer's file, uncompressed.

    Raises:
        ValueError: two places have one id, or ids whose hashes collide.
    """
    sections = list(read(source / "places.gz"))
    counties, finder = counties_of(sections), CountyFinder(sections)
    towns = told_apart(merged(list(places_of(sections, finder)), list(subdivisions_of(sections))), counties)
    zips = zips_of(source / "zctas.gz")
    post = post_towns(zips, towns)
    rows = sorted(row_lines(towns, counties, [zip_ for zip_ in zips if zip_.code not in post], finder), key=str.encode)
    ids = [line.partition("\t")[0] for line in rows]
    if len({id_hash(Kind.PLACE, id_) for id_ in ids}) < len(ids):
        raise ValueError("two places have the same id, or the same hash of it")
    keys = sorted(key_lines(towns, counties.values(), post), key=str.encode)
    return "".join((HEADER, "\n", *rows, "\n", *keys)).encode()


def main() -> None:
    """Write the file, or say what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=SOURCE, help="folder of places.gz and zctas.gz")
    parser.add_argument("--to", type=Path, default=TARGET, help="the file to write")
    arguments = parser.parse_args()
    if not (arguments.source / "places.gz").exists():
        parser.exit(1, f"{arguments.source} has no places.gz: apt-get install weather-util-data, or give --source\n")
    text = build(arguments.source)
    arguments.to.write_bytes(gzip.compress(text, compresslevel=9, mtime=0))
    print(f"{arguments.to}: {len(text):,} bytes, {arguments.to.stat().st_size:,} compressed")


if __name__ == "__main__":
    main()
