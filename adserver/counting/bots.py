"""Which user agents are programs: two public lists, matched in linear time, each agent judged once."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, Protocol

import re2
import regex
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from is_bot import Bots

AGENT_BYTES: Final = 512
"""How much of an agent the lists are matched with; readers' own are shorter, in-app browsers' among them."""
AGENT_MOST_BYTES: Final = 1024
"""A longer one is no reader's, whatever it says."""

_REMEMBERED: Final = 4096
"""Verdicts kept: of agents cut as above, 3 MB at most."""
_AUTOMATON_BYTES: Final = 64 << 20
"""Up to where a pattern's automaton may grow before it is begun anew; it takes what its agents need, about 5 MB."""


class _Pattern(Protocol):
    def search(self, text: str, /) -> object | None: ...


class BotList:
    """Tells programs from readers by their user agent. Shared by all threads: immutable but for a bounded memory.

    The lists are those of isbot (`is-bot`) and of crawler-user-agents. They are matched by RE2, whose time grows with
    the agent's length and with nothing else; what RE2 cannot read, assertions about neighbours, is asked of `regex`,
    and only where the same pattern without its assertions was found.
    """

    def __init__(self) -> None:
        plain, looking = _split(Bots().patterns)
        self._loose = _any_of(plain, case_sensitive=False)
        self._near = _any_of((_without_looking(pattern) for pattern in looking), case_sensitive=False)
        self._exact = regex.compile("|".join(f"(?:{pattern})" for pattern in looking), regex.IGNORECASE)
        self._crawlers = _any_of((each["pattern"] for each in CRAWLER_USER_AGENTS_DATA), case_sensitive=True)
        self._remembered: Callable[[str], bool] = lru_cache(maxsize=_REMEMBERED)(self._judge)

    def is_bot(self, agent: str) -> bool:
        """Tell whether an agent, of which each character is a byte of the header, is a program's."""
        return len(agent) > AGENT_MOST_BYTES or self._remembered(agent[:AGENT_BYTES])

    def _judge(self, agent: str) -> bool:
        if self._loose.search(agent) or self._crawlers.search(agent):
            return True
        return bool(self._near.search(agent)) and self._exact.search(agent) is not None


def _split(patterns: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the patterns that RE2 reads, and those that it does not, each in the same order at every start."""
    plain: list[str] = []
    looking: list[str] = []
    for pattern in sorted(patterns):
        try:
            re2.compile(pattern, options=_options(case_sensitive=False))
        except re2.error:
            looking.append(pattern)
        else:
            plain.append(pattern)
    return plain, looking


def _any_of(patterns: Iterable[str], *, case_sensitive: bool) -> _Pattern:
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    compiled: _Pattern = re2.compile(joined, options=_options(case_sensitive=case_sensitive))
    return compiled


def _options(*, case_sensitive: bool) -> re2.Options:
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.never_capture = True
    options.log_errors = False
    options.max_mem = _AUTOMATON_BYTES
    return options


_LOOKING: Final = regex.compile(r"\(\?<?[!=](?:[^()\\]|\\.|(?<group>\((?:[^()\\]|\\.|(?&group))*\)))*\)")


def _without_looking(pattern: str) -> str:
    """Return a pattern without its assertions about neighbours: it finds all that the whole one finds, and more."""
    return _LOOKING.sub("", pattern)
