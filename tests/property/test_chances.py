"""Each creative's chance is exactly what tiers, shares and weights say: every draw that can be is tried."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from random import Random
from unittest.mock import patch

import pytest
from decision_worlds import Chance, ask_plainly, outcome
from examples import examples
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from adserver.decision import compiling, draw, gate, snapshot
from adserver.decision.decide import decide
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot

PERCENT = 5
"""All of the draw of sponsorships, for these tests: a hundred would be a hundred branches."""
ODDS = 3
"""Odds of one, for the same reason."""
MOST_BRANCHES = 20_000
REQUESTS = 10
"""How many are made until somebody may win."""


class Scripted(Random):
    """Says what it is told to, then always 0, and remembers how many answers there were each time."""

    def __init__(self, script: list[int]) -> None:
        super().__init__(0)
        self.script = script
        self.widths: list[int] = []

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        assert (stop, step) == (None, 1)
        assert start > 0
        at = len(self.widths)
        self.widths.append(start)
        return self.script[at] if at < len(self.script) else 0


class TooMany(Exception):
    """There are more branches than a test has time for."""


def chances(ask: Callable[[Random], Hashable]) -> dict[Hashable, Fraction]:
    """Return the exact chance of every outcome."""
    found: dict[Hashable, Fraction] = defaultdict(Fraction)
    script: list[int] = []
    for _ in range(MOST_BRANCHES):
        rng = Scripted(script)
        found_now = ask(rng)
        chance = Fraction(1)
        for width in rng.widths:
            chance /= width
        found[found_now] += chance
        script = [*script, *[0] * (len(rng.widths) - len(script))]
        while script and script[-1] == rng.widths[len(script) - 1] - 1:
            script.pop()
        if not script:
            return dict(found)
        script[-1] += 1
    raise TooMany


@contextmanager
def drawn_with(tries: int, remembered: int, lists: int) -> Iterator[None]:
    with ExitStack() as patches:
        patches.enter_context(patch.object(draw, "PERCENT", PERCENT))
        patches.enter_context(patch.object(gate, "ODDS_WHOLE", ODDS))
        patches.enter_context(patch.object(draw, "TRIES", tries))
        patches.enter_context(patch.object(draw, "SHARES_ASKED", 2))
        patches.enter_context(patch.object(snapshot, "SETTLED_WEIGHT", remembered))
        patches.enter_context(patch.object(compiling, "MOST_LISTS_A_FLIGHT", lists))
        yield


@pytest.mark.parametrize(
    ("tries", "remembered"),
    [
        pytest.param(2, 0, id="by tries, then asked anew"),
        pytest.param(0, 10_000, id="from memory"),
        pytest.param(1, 10_000, id="by tries from memory"),
    ],
)
@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.filter_too_much])  # most ask where nobody runs
@given(seed=st.integers(0, 2**32), campaigns=st.integers(1, 4), lists=st.sampled_from((1, 3, 2_000)))
def test_every_chance_is_exact(tries: int, remembered: int, seed: int, campaigns: int, lists: int) -> None:
    chance = Chance(seed, most_share=4, most_weight=2)
    catalog = chance.catalog(campaigns)
    counts, now, page = chance.delivered(catalog), chance.moment(), chance.page()
    paces, shown = chance.paces(catalog, ODDS), chance.shown(catalog)
    with drawn_with(tries, remembered, lists):
        compiled = Snapshot.build(catalog, 1)
        for _ in range(REQUESTS):  # most find nobody
            request = chance.request()
            slot = compiled.slot(request.slot)
            assert slot is not None
            plain = ask_plainly(compiled, Question(request, slot, now, counts, page, paces, shown), PERCENT, ODDS)
            if plain.chances:
                break
        assume(plain.chances)
        if remembered:
            with patch.object(draw, "TRIES", 0):  # now all tiers that are reached are remembered
                for number in range(40):
                    decide(request, compiled, counts, now, Random(number), page, paces=paces, shown=shown)
        try:
            exact = chances(
                lambda rng: outcome(decide(request, compiled, counts, now, rng, page, paces=paces, shown=shown))
            )
        except TooMany:
            event("too many branches")
            return
    fills = {key: share for key, share in exact.items() if isinstance(key, tuple)}
    assert fills == plain.chances
    assert {key for key in exact if not isinstance(key, tuple)} <= plain.reasons
    event(f"{len(fills)} may win")


def test_a_walk_over_all_branches_leaves_none_out_and_takes_none_twice() -> None:
    def ask(rng: Random) -> tuple[int, ...]:
        first = rng.randrange(3)
        return (first, *(rng.randrange(2) for _ in range(first)))

    third, sixth, twelfth = Fraction(1, 3), Fraction(1, 6), Fraction(1, 12)
    expected: dict[Hashable, Fraction] = {(0,): third, (1, 0): sixth, (1, 1): sixth}
    expected |= {(2, first, last): twelfth for first in range(2) for last in range(2)}
    assert chances(ask) == expected
