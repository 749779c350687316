"""How files are made: no logic in package files, one noun each, no state that a module keeps."""

import ast
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
MAX_LINES: Final = 400
"""More is a reason to look for the second noun in a file."""

MUTABLE_DISPLAYS: Final = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MUTABLE_TYPES: Final = {
    "bytearray", "collections.defaultdict", "collections.deque", "Counter", "defaultdict", "deque", "dict", "list",
    "OrderedDict", "set", "WeakKeyDictionary", "WeakValueDictionary",
}  # fmt: skip
MUTATORS: Final = {
    "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft", "remove",
    "reverse", "setdefault", "sort", "update",
}  # fmt: skip


def test_package_files_are_empty() -> None:
    assert [path for path in python_files("adserver") if path.name == "__init__.py" and path.read_bytes()] == []


def test_every_folder_of_the_package_is_installed() -> None:
    folders = {path.parent for path in python_files("adserver")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_every_file_of_the_package_is_installed() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["adserver"]
    names = [pattern.rpartition("/")[2] for pattern in patterns]
    files = (path for path in (ROOT / "adserver").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    data = [path for path in files if path.suffix != ".py"]
    assert [path for path in data if not any(fnmatch(path.name, name) for name in names)] == []


def test_tests_are_no_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_file_is_a_drawer_for_odds_and_ends() -> None:
    drawers = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
    assert [path for path in python_files("adserver", "bench", "tests", "scripts") if path.name in drawers] == []


def test_no_file_is_too_long_to_have_one_noun() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in python_files("adserver", "bench", "tests", "scripts")
        if (lines := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert long == {}


def test_no_module_keeps_state() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in python_files("adserver")
        for line, what in state_faults(path.read_text())
    ]
    assert faults == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("seen = []", "seen is mutable and not Final"),
        ("seen: dict[str, int] = {}", "seen is mutable and not Final"),
        ("seen = collections.defaultdict(list)", "seen is mutable and not Final"),
        ("class Cache:\n    entries = set()", "entries is mutable and not Final"),
        ("SEEN: Final = {}\ndef f(): SEEN['a'] = 1", "SEEN is changed"),
        ("SEEN: Final = {}\ndef f(): del SEEN['a']", "SEEN is changed"),
        ("SEEN: Final = {}\ndef f(): SEEN['a'] += 1", "SEEN is changed"),
        ("SEEN: Final[list[int]] = []\ndef f(): SEEN.append(1)", "SEEN is changed"),
        ("SEEN: Final = {}\nSEEN.update(a=1)", "SEEN is changed"),
        ("count = 0\ndef f():\n    global count\n    count += 1", "count is global"),
    ],
)
def test_state_of_a_module_is_found(source: str, fault: str) -> None:
    assert [what for _, what in state_faults(source)] == [fault]


@pytest.mark.parametrize(
    "source",
    [
        "NAMES: Final = {'a': 1}\ndef f(): return NAMES['a']",
        "PAIRS = ((1, 2), (3, 4))",
        "LOOKUP: Final[dict[str, int]] = {name: 1 for name in 'ab'}",
        "def f():\n    seen = []\n    seen.append(1)\n    return seen",
        "__all__ = ['f']",
        "class Body(msgspec.Struct):\n    rows: list[int] = []",
        "class Settings:\n    names: ClassVar[dict[str, int]] = {}\n    def __init__(self): self.rows = []",
    ],
)
def test_constants_and_local_state_are_allowed(source: str) -> None:
    assert list(state_faults(source)) == []


def python_files(*folders: str) -> list[Path]:
    """Return the project's Python files in some of its folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def state_faults(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, what) for mutable values at module or class level, and for changes of those that are Final."""
    tree = ast.parse(source)
    scopes = [
        tree.body,
        *(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and not is_struct(node)),
    ]
    for statement in (statement for scope in scopes for statement in scope):
        for name in mutable_names(statement):
            if not is_final(statement):
                yield statement.lineno, f"{name} is mutable and not Final"
    kept = {name for statement in tree.body if is_final(statement) for name in mutable_names(statement)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield node.lineno, f"{', '.join(node.names)} is global"
        elif isinstance(node, ast.Subscript | ast.Call) and (changed := changed_name(node)) in kept:
            yield node.lineno, f"{changed} is changed"


def mutable_names(statement: ast.stmt) -> list[str]:
    """Return the names that an assignment binds to a mutable value; none for other statements and `__all__`."""
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets, value = [statement.target], statement.value
    else:
        return []
    mutable = isinstance(value, MUTABLE_DISPLAYS) or (
        isinstance(value, ast.Call) and ast.unparse(value.func) in MUTABLE_TYPES
    )
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return [name for name in names if mutable and not name.startswith("__")]


def is_struct(node: ast.ClassDef) -> bool:
    """Return whether a class is msgspec's, which copies an empty default for each instance and refuses others."""
    return any(ast.unparse(base).endswith("Struct") for base in node.bases)


def is_final(statement: ast.stmt) -> bool:
    """Return whether an assignment declares a constant."""
    return isinstance(statement, ast.AnnAssign) and ast.unparse(statement.annotation).startswith(("Final", "ClassVar"))


def changed_name(node: ast.Subscript | ast.Call) -> str | None:
    """Return the name whose value a subscript assignment, a deletion or a mutating call changes in place."""
    changed: ast.expr | None = None
    if isinstance(node, ast.Subscript):
        changed = None if isinstance(node.ctx, ast.Load) else node.value
    elif isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        changed = node.func.value
    return changed.id if isinstance(changed, ast.Name) else None
