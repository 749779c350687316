"""The events of a YAML text: by libyaml, a hundred times as fast, where both parsers read alike; else by ruamel's.

libyaml is of YAML 1.1. What an event says is the same in 1.2, for scalars are resolved by neither of them; but some
characters break lines in 1.1 only, and tabs are taken in other places. A text with any of those goes the slow way, as
does every text that libyaml refuses: what is refused, and in which words, is ruamel's to say.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import yaml
from ruamel.yaml import YAML
from ruamel.yaml import events as ruamel_events

Event: TypeAlias = Any
"""Of either library: `start_mark`, and what its kind has of `anchor`, `tag`, `value`, `implicit` and `version`."""

ALIAS: Final = (ruamel_events.AliasEvent, yaml.AliasEvent)
DOCUMENT_START: Final = (ruamel_events.DocumentStartEvent, yaml.DocumentStartEvent)
MAPPING_END: Final = (ruamel_events.MappingEndEvent, yaml.MappingEndEvent)
MAPPING_START: Final = (ruamel_events.MappingStartEvent, yaml.MappingStartEvent)
NODE: Final = (ruamel_events.NodeEvent, yaml.NodeEvent)
SCALAR: Final = (ruamel_events.ScalarEvent, yaml.ScalarEvent)
SEQUENCE_END: Final = (ruamel_events.SequenceEndEvent, yaml.SequenceEndEvent)
SEQUENCE_START: Final = (ruamel_events.SequenceStartEvent, yaml.SequenceStartEvent)

_READ_OTHERWISE: Final = re.compile(
    r"[\t\x85\u2028\u2029\ufeff]|\r(?!\n)|^%|^\.\.\.|^\? |^\?$|[{\[,] *\?", re.MULTILINE
)


class FastParserRefused(Exception):
    """libyaml does not take a text, or might take it otherwise."""


def is_read_alike(text: str) -> bool:
    """Tell whether both parsers give a text the same events, but for where blocks end."""
    return _READ_OTHERWISE.search(text) is None


def fast_events(text: str) -> Iterator[Event]:
    """Yield the events of a text.

    Raises:
        FastParserRefused: it is no YAML, or none that this parser knows, or has anchors.
    """
    try:
        for event in yaml.parse(text, Loader=yaml.CLoader):
            if getattr(event, "anchor", None):  # what a name may hold, the two do not agree on
                raise FastParserRefused
            yield event
    except yaml.YAMLError as error:
        raise FastParserRefused from error


def slow_events(text: str) -> Iterator[Event]:
    """Yield the events of a text.

    Raises:
        YAMLError: it is no YAML; ruamel's, with the mark.
    """
    yield from YAML(typ="safe", pure=True).parse(text)
