"""Makes a YAML or JSON file say something else, and leaves its comments, order and quotes where they were.

Scalars go through as written: the editor resolves none of them, so `NO`, `012345` and `"5"` stay what they are.
"""

import json
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from adserver.catalog.documents import JsonObject, JsonValue
from adserver.catalog.positions import Positions
from adserver.catalog.yaml_lines import LineEditor

SCHEMA_LINE: Final = "# yaml-language-server: $schema=../docs/campaign.schema.json\n"
_WIDTH: Final = 1_000_000
"""No line is ever folded."""
_MEANINGFUL: Final = frozenset({"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""What some reader of YAML takes for more than text, in whatever case."""
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FLOW_KEYS: Final = frozenset(
    {"slots", "categories", "competes_with", "utm", "goal", "price", "topics", "exclude_topics", "exclude_places"}
    | {"places", "days", "blocked_categories", "origins", "internal_networks"}
)
"""What is short enough for one line, as people write it."""


class _AsWritten(VersionedResolver):
    """Resolves every scalar to text, so that nothing is read into it. For one document."""

    @property
    def versioned_resolver(self) -> dict[object, list[object]]:
        """Return no pattern at all."""
        return {}


def edited_yaml(text: str, before: JsonObject, after: JsonObject, positions: Positions) -> str | None:
    """Return a YAML document with what differs between two readings of it put in; None where it cannot be edited.

    Args:
        text: the document, which reads as `before`.
        before: what it says, as its schema stores it.
        after: what it is to say.
        positions: where the fields of `before` stand in the text.
    """
    text, left = LineEditor(text, positions, _render).edit(before, after)
    editor = _editor(text)
    try:
        root = editor.load(text)
        if not isinstance(root, CommentedMap):
            return None
        _edit_mapping(root, left, after)
        return _dumped(editor, root)
    except (YAMLError, KeyError, IndexError, TypeError):
        return None  # aliases and other finesses: it is written anew


def fresh_yaml(content: JsonObject) -> str:
    """Return a document as a new YAML file."""
    return _dumped(_editor("  - "), _node(content))


def fresh_json(content: JsonObject) -> str:
    """Return a document as a new JSON file."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _editor(text: str) -> YAML:
    editor = YAML(typ="rt", pure=True)
    editor.Resolver = _AsWritten
    editor.preserve_quotes = True
    editor.width = _WIDTH
    editor.allow_unicode = True
    dash = _dash_column(text)
    editor.indent(mapping=2, sequence=dash + 2, offset=dash)
    return editor


def _dash_column(text: str) -> int:
    """Return how far the items of the first list stand in."""
    for line in text.splitlines():
        if line.lstrip(" ").startswith("- "):
            return min(len(line) - len(line.lstrip(" ")), 8)
    return 2


def _render(value: JsonValue, column: int) -> str:
    """Return a value as lines of YAML that begin at a column."""
    lines = _dumped(_editor("- "), _node(value)).splitlines(keepends=True)
    return "".join(" " * column + line for line in lines)


def _dumped(editor: YAML, root: object) -> str:
    stream = StringIO()
    editor.dump(root, stream)
    return stream.getvalue()


def _edit(node: object, key: str | int, before: JsonValue, after: JsonValue) -> object:
    """Return what stands for `after`: the node itself, edited, where it can be."""
    if before == after:
        return node
    if isinstance(node, CommentedMap) and isinstance(before, dict) and isinstance(after, dict):
        _edit_mapping(node, before, after)
        return node
    if isinstance(node, CommentedSeq) and isinstance(before, list) and isinstance(after, list):
        _edit_list(node, before, after)
        return node
    return _node(after, key)


def _edit_mapping(node: CommentedMap, before: JsonObject, after: JsonObject) -> None:
    for key in [key for key in node if key not in after]:
        del node[key]
    previous = -1
    for key, value in after.items():
        if key in node:
            edited = _edit(node[key], key, before.get(key), value)
            if edited is not node[key]:
                node[key] = edited
            previous = list(node).index(key)
        else:
            previous += 1
            node.insert(previous, key, _node(value, key))


def _edit_list(node: CommentedSeq, before: list[JsonValue], after: list[JsonValue]) -> None:
    """Keep the items that stay where they are, take away those that go, and put new ones at the end."""
    wanted = {_identity(item): item for item in after}
    old = [_identity(item) for item in before]
    for index in reversed(range(len(old))):
        if old[index] not in wanted:
            del node[index]
    kept = [(identity, item) for identity, item in zip(old, before, strict=True) if identity in wanted]
    for index, (identity, item) in enumerate(kept):
        edited = _edit(node[index], index, item, wanted[identity])
        if edited is not node[index]:
            node[index] = edited
    there = {identity for identity, _ in kept}
    for identity, item in wanted.items():
        if identity not in there:
            node.append(_node(item))


def _identity(item: JsonValue) -> str:
    """Return what an item is known by: its id, else all of it."""
    own = item.get("id") if isinstance(item, dict) else None
    return str(own) if own is not None else json.dumps(item, sort_keys=True)


def _node(value: JsonValue, key: str | int = "", *, flow: bool = False) -> object:
    if isinstance(value, Mapping):
        mapping = CommentedMap((name, _node(one, name, flow=flow or key in _FLOW_KEYS)) for name, one in value.items())
        if flow or key in _FLOW_KEYS:
            mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, Sequence) and not isinstance(value, str):
        flow = flow or key in _FLOW_KEYS or all(isinstance(one, str) for one in value)
        sequence = CommentedSeq(_node(one, flow=flow) for one in value)
        if flow:
            sequence.fa.set_flow_style()
        return sequence
    return _scalar(value)


def _scalar(value: JsonValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return DoubleQuotedScalarString(text) if _reads_otherwise(text) else text


def _reads_otherwise(text: str) -> bool:
    """Tell whether a text would be read as something else without quotes, or looks as if it might."""
    if text.lower() in _MEANINGFUL or "," in text or ": " in text or text.endswith(":"):
        return True
    return text[0] in "0123456789+-." and not _DAY.fullmatch(text)
