"""What a link of a campaign file may be: read as browsers read it (WHATWG URL), stored in its canonical form."""

from typing import Final

import ada_url
import regex

from adserver.catalog.texts import shown

MAX_LINK_BYTES: Final = 2_048
MACROS: Final = frozenset({"slot", "place", "campaign", "creative", "variant"})
"""Words that may stand in braces in a value of a click URL's query."""
MAX_UTM_CHARACTERS: Final = 100

_UNSAFE: Final = regex.compile(r"[\p{Cc}\p{Cs}\p{White_Space}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\\]")
_HTTPS: Final = regex.compile(r"https://[^/?#]", regex.IGNORECASE)
_AUTHORITY: Final = regex.compile(r"https://([^/?#]*)", regex.IGNORECASE)
_SCHEME: Final = regex.compile(r"([a-z][a-z0-9+.-]*):", regex.IGNORECASE)
_MAILTO: Final = regex.compile(
    r"mailto:[^@/?#%<>\"'(),:;]+@[^@/?#%<>\"'(),:;]+\.[^@/?#%<>\"'(),:;]+(\?[^#]*)?", regex.I
)
_TEL: Final = regex.compile(r"tel:\+?[0-9][0-9().-]{1,30}", regex.IGNORECASE)
_LINE_BREAK: Final = regex.compile(r"%0[ad]", regex.IGNORECASE)
_BRACES: Final = regex.compile(r"\{([^{}]*)\}")
_MARKUP: Final = regex.compile(r"[<>\"'`&\\{}]")
_HOST: Final = regex.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\]"
)
_LOOPBACK: Final = regex.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?")


class LinkRefused(ValueError):
    """A link that a page must not carry; the message says why, and what would be right."""


def clean_click_url(raw: str) -> str:
    """Return the canonical form of a sponsor's link: https, `mailto:` or `tel:`; macros in query values only.

    Raises:
        LinkRefused: for everything else.
    """
    text = _clean(raw)
    _check_macros(text)
    scheme = _SCHEME.match(text)
    kind = scheme[1].lower() if scheme else ""
    if kind == "mailto":
        return _contact(text, _MAILTO, "mailto:name@shop.example")
    if kind == "tel":
        return _contact(text, _TEL, "tel:+12185550100")
    return _https(text, kind)


def clean_page_url(raw: str) -> str:
    """Return the canonical form of a link to a page, such as a publication's home: https, without macros.

    Raises:
        LinkRefused: for everything else.
    """
    text = _clean(raw)
    if "{" in text or "}" in text:
        raise LinkRefused("must not hold braces; macros stand in a click_url only")
    scheme = _SCHEME.match(text)
    return _https(text, scheme[1].lower() if scheme else "")


def clean_origin(raw: str) -> str:
    """Return an origin such as `https://news.example`, as `frame-ancestors` takes it.

    Raises:
        LinkRefused: for anything with a path, and for http but on this machine.
    """
    text = _clean(raw).rstrip("/")
    if _LOOPBACK.fullmatch(text):
        return _canonical(text).rstrip("/")
    href = clean_page_url(text)
    if href.count("/") != 3 or not href.endswith("/") or "?" in href or "#" in href:
        raise LinkRefused("must be an origin only, such as https://news.example, without a path")
    return href.rstrip("/")


def clean_utm(text: str) -> str:
    """Return a utm value, of a text that was cleaned before.

    Raises:
        LinkRefused: for markup, macros, and over 100 characters.
    """
    if found := _MARKUP.search(text):
        raise LinkRefused(f"must be plain words; {shown(found[0])} is markup")
    if len(text) > MAX_UTM_CHARACTERS:
        raise LinkRefused(f"must be at most {MAX_UTM_CHARACTERS} characters long, not {len(text):,}")
    return text


def _clean(raw: str) -> str:
    text = raw.strip(" ")
    if found := _UNSAFE.search(text):
        raise LinkRefused(f"must not hold {_named(found[0])}; percent-encode it, or leave it out")
    _check_size(text)
    return text


def _named(character: str) -> str:
    return f"the character U+{ord(character):04X}" if character != "\\" else "a backslash"


def _check_size(text: str) -> None:
    if (size := len(text.encode())) > MAX_LINK_BYTES:
        raise LinkRefused(f"must be at most {MAX_LINK_BYTES:,} bytes long, not {size:,}")


def _check_macros(text: str) -> None:
    """Refuse braces but those of a known macro within a value of the query."""
    before, _, query = text.partition("#")[0].partition("?")
    if _has_brace(before) or _has_brace(text.partition("#")[2]):
        raise LinkRefused("may hold macros in values of the query only, as in ?from={slot}")
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if _has_brace(name):
            raise LinkRefused("may hold macros in values of the query only, as in ?from={slot}")
        for word in _BRACES.findall(value):
            if word not in MACROS:
                raise LinkRefused(f"knows no macro {shown(word)}; there are {', '.join(sorted(MACROS))}")
        if _has_brace(_BRACES.sub("", value)):
            raise LinkRefused("has a brace that opens or closes no macro")


def _has_brace(text: str) -> bool:
    return "{" in text or "}" in text


def _https(text: str, scheme: str) -> str:
    if scheme != "https" or not _HTTPS.match(text):
        raise LinkRefused(f"must begin with https:// and a host, or be a mailto: or tel: link; {_found(scheme)}")
    authority = _AUTHORITY.match(text)
    if authority is not None and "@" in authority[1]:
        raise LinkRefused("must not hold a user name or password before the host")
    return _canonical(text)


def _found(scheme: str) -> str:
    return f"`{scheme}:` is not taken" if scheme and len(scheme) <= 20 else "this has no such beginning"


def _contact(text: str, pattern: "regex.Pattern[str]", example: str) -> str:
    if not pattern.fullmatch(text) or _LINE_BREAK.search(text):
        raise LinkRefused(f"must look like {example}")
    return _canonical(text)


def _canonical(text: str) -> str:
    try:
        url = ada_url.URL(text)
    except ValueError as error:
        raise LinkRefused("is no URL that a browser can open; look at its host and port") from error
    href, host = str(url.href), str(url.hostname)
    if host and not _HOST.fullmatch(host):  # browsers open `a;b` and `..` as hosts; no name server answers for them
        raise LinkRefused(f"has no host name that could exist: {shown(host)}")
    _check_size(href)
    return href
