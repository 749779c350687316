"""What is installed: only what is locked, hash by hash, and each with a reason that is written down."""

import json
import re
import tomllib
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = ("requirements.lock", "requirements-dev.lock")
RUNTIME: Final = ("project", "dependencies")
DEVELOPMENT: Final = ("project", "optional-dependencies", "dev")
BUILD: Final = ("build-system", "requires")
PINNED: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\]+?))?(?P<hashes>(?: --hash=\S+)*)"
)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_is_pinned_and_has_hashes(lock: str) -> None:
    loose = [
        line
        for line in logical_lines(lock)
        if (match := PINNED.fullmatch(line)) is None
        or not re.fullmatch(r"(?: --hash=sha256:[0-9a-f]{64})+", match["hashes"])
    ]
    assert loose == []
    assert len(logical_lines(lock)) > 10


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry_and_no_path(lock: str) -> None:
    named = [
        line for line in (ROOT / lock).read_text().splitlines() if re.search(r"://|index|find-links|[ =~]/| @ ", line)
    ]
    assert named == []


def test_the_runtime_lock_covers_what_the_service_and_its_build_require() -> None:
    required = requirements(*RUNTIME) + requirements(*BUILD)
    assert uncovered(required, "requirements.lock") == []


def test_the_development_lock_covers_what_tests_require() -> None:
    assert uncovered(requirements(*DEVELOPMENT), "requirements-dev.lock") == []


def test_tests_run_on_the_very_versions_that_the_service_runs_on() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_a_requirement_that_no_lock_covers_is_found() -> None:
    assert uncovered(["flask>=3.1", "no-such-thing>=1"], "requirements.lock") == ["no-such-thing>=1"]
    assert uncovered(["flask>=99"], "requirements.lock") == ["flask>=99"]


def test_every_dependency_has_its_reason() -> None:
    required = [*requirements(*RUNTIME), *requirements(*DEVELOPMENT), *javascript()]
    reasons = (ROOT / "docs/adr/0002-dependencies.md").read_text()
    assert [text for text in required if f"| {Requirement(text).name} |" not in reasons] == []


def test_no_reason_is_given_for_what_is_no_dependency() -> None:
    required = [*requirements(*RUNTIME), *requirements(*DEVELOPMENT), *javascript()]
    names = {Requirement(text).name for text in (*required, *requirements(*BUILD))}
    rows = re.findall(r"^\| ([\w.-]+) \|", (ROOT / "docs/adr/0002-dependencies.md").read_text(), re.MULTILINE)
    assert set(rows) - {"package"} == names


def test_every_package_of_javascript_is_pinned_and_has_its_hash_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {path: package for path, package in lock["packages"].items() if path}
    assert [path for path, each in packages.items() if not each.get("integrity", "").startswith("sha512-")] == []
    assert [path for path, each in packages.items() if "resolved" in each] == []
    assert {package: each["version"] for package, each in packages.items()}.items() >= {
        f"node_modules/{name}": version for name, version in javascript().items()
    }.items()


def javascript() -> dict[str, str]:
    """Return the version of each package of JavaScript that tests need."""
    needed: dict[str, str] = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    return needed


def requirements(*keys: str) -> list[str]:
    """Return a list of requirements of pyproject.toml."""
    found: object = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for key in keys:
        assert isinstance(found, dict)
        found = found[key]
    assert isinstance(found, list)
    return found


def logical_lines(lock: str) -> list[str]:
    """Return a lock's requirements, each on one line."""
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / lock).read_text())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins(lock: str) -> dict[str, str]:
    """Return the locked version by name."""
    matches = [match for line in logical_lines(lock) if (match := PINNED.fullmatch(line))]
    return {canonicalize_name(match["name"]): match["version"] for match in matches}


def uncovered(required: list[str], lock: str) -> list[str]:
    """Return the requirements that no pin of a lock satisfies."""
    locked = pins(lock)
    return [
        text
        for text in required
        if not Requirement(text).specifier.contains(
            locked.get(canonicalize_name(Requirement(text).name), "0"), prereleases=True
        )
    ]
