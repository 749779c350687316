"""What stands in the documents: fenced blocks, tables, sections. The convention is told in docs/README.md."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
EXAMPLE_PAGES: Final = (
    "README.md",
    "campaigns.md",
    "commands.md",
    "embedding.md",
    "first-line.md",
    "http.md",
    "statistics.md",
)
"""The pages whose every example is run, each from its top to its end."""

_FENCE: Final = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW: Final = re.compile(r"^\| (.*) \|$", re.MULTILINE)
_RULE: Final = re.compile(r"[-| :]*")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. Immutable."""

    page: str
    line: int
    language: str
    """The first word after the fence; empty: none."""
    rest: str
    """The words after it."""
    text: str

    def __str__(self) -> str:
        return f"docs/{self.page}:{self.line}"


def read_page(page: str) -> str:
    """Return a page of `docs/`."""
    return (DOCS / page).read_text()


def blocks_of(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page of `docs/`, in their order."""
    text = read_page(page)
    for found in _FENCE.finditer(text):
        language, _, rest = found["info"].partition(" ")
        yield Block(page, text.count("\n", 0, found.start()) + 1, language, rest.strip(), found["text"])


def section(page: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of the same level or a higher one."""
    text = _FENCE.sub(lambda fence: re.sub("(?m)^#", " #", fence[0]), read_page(page))
    level = len(heading) - len(heading.lstrip("#"))
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{level}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/{page} has no heading {heading!r}"
    return found[1]


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of every table row of a text, headings and rules left out."""
    rows: list[list[str]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        found = _ROW.fullmatch(line)
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if found and not _RULE.fullmatch(line) and not (following.startswith("|") and _RULE.fullmatch(following)):
            rows.append([cell.strip() for cell in re.split(r" ?\| ", found[1])])
    return rows


def first_codes(text: str) -> list[str]:
    """Return what stands in backquotes at the beginning of each table row."""
    cells = (row[0] for row in rows_of(text))
    return [found[1] for cell in cells if (found := re.match("`([^`]+)`", cell))]


def is_like(shown: object, given: object) -> bool:
    """Tell whether a decoded JSON answer is what a page shows of it.

    `…` stands for anything: within a text for some characters, alone for any value, at the end of a list for further
    items, as a key for further fields.
    """
    if shown == "…":
        return True
    if isinstance(shown, str) and isinstance(given, str):
        return is_text_like(shown, given)
    if isinstance(shown, dict) and isinstance(given, dict):
        known = {key: value for key, value in shown.items() if key != "…"}
        is_whole = "…" in shown or known.keys() == given.keys()
        return is_whole and all(key in given and is_like(value, given[key]) for key, value in known.items())
    if isinstance(shown, list) and isinstance(given, list):
        has_more = bool(shown) and shown[-1] == "…"
        listed = shown[:-1] if has_more else shown
        fits = len(given) >= len(listed) if has_more else len(given) == len(listed)
        return fits and all(is_like(one, other) for one, other in zip(listed, given, strict=False))
    return type(shown) is type(given) and shown == given


def is_text_like(shown: str, given: str) -> bool:
    """Tell whether a text is what a page shows of it, where `…` stands for any characters, of several lines too."""
    pattern = ".*?".join(re.escape(part) for part in shown.split("…"))
    return re.fullmatch(pattern, given, re.DOTALL) is not None
