"""Reads the Census files that Debian's weather-util-data packages; used only when the gazetteer is built."""

import gzip
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from adserver.places.sphere import Vector, vector

SOURCE: Final = Path("/usr/share/weather-util")

ZIP_STATES: Final = (  # state, then first and last of the leading three digits (Postal Service, prefix list L002)
    "al350-369 ak995-999 az850-865 ar716-729 ca900-961 co800-816 ct060-069 de197-199 dc200-200 dc202-205 fl320-339"
    " fl341-349 ga300-319 ga398-399 hi967-968 id832-838 il600-629 in460-479 ia500-528 ks660-679 ky400-427 la700-714"
    " me039-049 md206-219 ma010-027 ma055-055 mi480-499 mn550-567 ms386-397 mo630-658 mt590-599 ne680-693 nv889-898"
    " nh030-038 nj070-089 nm870-884 ny005-005 ny100-149 nc270-289 nd580-588 oh430-459 ok730-732 ok734-749 or970-979"
    " pa150-196 pr006-007 pr009-009 ri028-029 sc290-299 sd570-577 tn370-385 tx733-733 tx750-799 tx885-885 ut840-847"
    " vt050-054 vt056-059 va201-201 va220-246 wa980-994 wv247-268 wi530-549 wy820-831"
)
ZIP_EXCEPTIONS: Final = {"06390": "ny", "73960": "tx", "83414": "wy", "96799": ""}
"""Served from across a state line; the last is in American Samoa, which the source lacks."""


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the source. Immutable."""

    code: str
    """FIPS code: 5 digits a county, 7 a place, 10 a county subdivision; or a ZIP."""
    name: str
    state: str
    at: Vector


def read(path: Path) -> Iterator[Section]:
    """Give the entries of one of weather-util's files."""
    code = state = name = ""
    at = (0.0, 0.0, 0.0)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            field, _, value = line.strip().partition(" = ")
            if line.startswith("["):
                code, name, state = field.strip("[]").removeprefix("fips"), "", ""
            elif field == "centroid":  # in radians
                latitude, longitude = (math.degrees(float(part)) for part in value.strip("()").split(","))
                at = vector(latitude, longitude)
            elif field == "description":
                name, _, state = value.rpartition(", ")
            elif not field and code:
                yield Section(code, name, state.lower(), at)
                code = ""
    if code:
        yield Section(code, name, state.lower(), at)


def zips_of(path: Path) -> list[Section]:
    """Return the ZIP areas with their state, by the leading digits."""
    states = {
        f"{prefix:03}": part[:2] for part in ZIP_STATES.split() for prefix in range(int(part[2:5]), int(part[6:9]) + 1)
    }
    found = (replace(zip_, state=ZIP_EXCEPTIONS.get(zip_.code, states.get(zip_.code[:3], ""))) for zip_ in read(path))
    return [zip_ for zip_ in found if zip_.state]
