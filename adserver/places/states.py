"""The states as people write them: in full, by postal code, and as the Associated Press shortens them."""

from typing import Final

STATES: Final = {
    "al": "Alabama",
    "ak": "Alaska",
    "az": "Arizona",
    "ar": "Arkansas",
    "ca": "California",
    "co": "Colorado",
    "ct": "Connecticut",
    "de": "Delaware",
    "dc": "District of Columbia",
    "fl": "Florida",
    "ga": "Georgia",
    "hi": "Hawaii",
    "id": "Idaho",
    "il": "Illinois",
    "in": "Indiana",
    "ia": "Iowa",
    "ks": "Kansas",
    "ky": "Kentucky",
    "la": "Louisiana",
    "me": "Maine",
    "md": "Maryland",
    "ma": "Massachusetts",
    "mi": "Michigan",
    "mn": "Minnesota",
    "ms": "Mississippi",
    "mo": "Missouri",
    "mt": "Montana",
    "ne": "Nebraska",
    "nv": "Nevada",
    "nh": "New Hampshire",
    "nj": "New Jersey",
    "nm": "New Mexico",
    "ny": "New York",
    "nc": "North Carolina",
    "nd": "North Dakota",
    "oh": "Ohio",
    "ok": "Oklahoma",
    "or": "Oregon",
    "pa": "Pennsylvania",
    "pr": "Puerto Rico",
    "ri": "Rhode Island",
    "sc": "South Carolina",
    "sd": "South Dakota",
    "tn": "Tennessee",
    "tx": "Texas",
    "ut": "Utah",
    "vt": "Vermont",
    "va": "Virginia",
    "wa": "Washington",
    "wv": "West Virginia",
    "wi": "Wisconsin",
    "wy": "Wyoming",
}
"""Postal code in small letters to name: the fifty states, the District of Columbia and Puerto Rico."""

COUNTRY_NAME: Final = "United States"

_SHORT_FORMS: Final = {  # the AP Stylebook's datelines and their common variants, without periods and blanks
    "al": "ala",
    "ak": "alas",
    "az": "ariz",
    "ar": "ark",
    "ca": "calif cal",
    "co": "colo",
    "ct": "conn",
    "de": "del",
    "fl": "fla",
    "id": "ida",
    "il": "ill",
    "in": "ind",
    "ks": "kan kans",
    "ma": "mass",
    "mi": "mich",
    "mn": "minn",
    "ms": "miss",
    "mt": "mont",
    "ne": "neb nebr",
    "nv": "nev",
    "nc": "ncarolina",
    "nd": "ndakota ndak",
    "nm": "nmex newmex",
    "ok": "okla",
    "or": "ore oreg",
    "pa": "penn penna",
    "sc": "scarolina",
    "sd": "sdakota sdak",
    "tn": "tenn",
    "tx": "tex",
    "wa": "wash",
    "wv": "wva",
    "wi": "wis wisc",
    "wy": "wyo",
}

_COUNTRY: Final = frozenset({"us", "usa", "unitedstates", "unitedstatesofamerica"})


def _by_form() -> dict[str, str]:
    forms = {"".join(name.lower().split()): code for code, name in STATES.items()}
    forms |= {code: code for code in STATES}
    forms |= {form: code for code, listed in _SHORT_FORMS.items() for form in listed.split()}
    return forms


_FORMS: Final = _by_form()


def state_code(words: tuple[str, ...]) -> str | None:
    """Return the postal code, in small letters, of a state written in these plain words, or None."""
    return _FORMS.get("".join(words))


def is_country(words: tuple[str, ...]) -> bool:
    """Say whether these plain words are the United States."""
    return "".join(words) in _COUNTRY
