"""What `scripts/need` finds lacking, on machines made of one folder of commands."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
COMMANDS: Final = ("bash", "cksum", "dirname", "sed", "touch")
"""What the scripts themselves need of a machine."""

REAL: Final = f'exec "{sys.executable}" -I -c'
GOOD_PYTHON: Final = "echo 11 /machine/python3.11"
NEWER_PYTHON: Final = "echo 13 /machine/python3.13"
BARE_PYTHON: Final = f"""{REAL} "import sys; sys.modules['ensurepip'] = None; $3" """
"""Debian's without python3-venv."""
BROKEN_PYTHON: Final = "echo 'command not found' >&2; exit 127"
"""What a version manager leaves on PATH."""


def python(minor: int) -> str:
    """Return a command that is the Python of these tests, but for its version."""
    return f'{REAL} "import sys; sys.version_info = (3, {minor}, 1); $3"'


BRINGS_CHROMIUM: Final = f"""[[ $* != *install* ]] || {{
    echo "$*" >"$MACHINE/log"
    touch "$MACHINE/chromium"
    {shutil.which("chmod")} 755 "$MACHINE/chromium"
}}"""
"""An apt-get that installs Chromium."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A PATH of one folder, and a clone without an environment. Immutable; the folders are one test's own."""

    path: Path
    clone: Path

    def run(self, script: str, *arguments: str, skip: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of the project's scripts on this machine."""
        environment = {"PATH": str(self.path), "SBIN": "", "SKIP": skip, "MACHINE": str(self.path)}
        return subprocess.run(
            [self.clone / "scripts" / script, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def set_up(self, lock: str, *, python: str = "true") -> None:
        """Give the clone an environment that is complete, as far as its stamp says, by a lock."""
        (self.clone / ".venv/bin").mkdir(parents=True)
        command = self.clone / ".venv/bin/python"
        command.write_text(f"#!{self.path}/bash\n{python}\n")
        command.chmod(0o755)
        sums = subprocess.run(
            ["cksum", lock, "pyproject.toml"], cwd=self.clone, capture_output=True, text=True, check=True
        )
        level = "dev" if "dev" in lock else "run"
        (self.clone / f".venv/.complete-{level}").write_text(f"{self.clone.resolve()}\n{sums.stdout}")


def machine(folder: Path, *, user: int = 1000, **commands: str) -> Machine:
    """Return a machine with these commands (`_` in a name is read as `.`), each a line of shell."""
    path = folder / "bin"
    path.mkdir()
    for name in COMMANDS:
        (path / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    for name, line in {"id": f"echo {user}", **commands}.items():
        command = path / name.replace("_", ".").replace("apt.", "apt-")
        command.write_text(f"#!{path}/bash\n{line}\n")
        command.chmod(0o755)
    clone = folder / "clone"
    shutil.copytree(ROOT / "scripts", clone / "scripts")
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, clone)
    return Machine(path, clone)


def test_a_machine_with_all_of_it_says_nothing(tmp_path: Path) -> None:
    run = machine(
        tmp_path,
        python3=GOOD_PYTHON,
        chromium="true",
        nginx="true",
        varnishd="true",
        openssl="true",
        faketime="true",
        php="true",
        node="true",
        npm="true",
    ).run("need", "test")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_all_that_is_missing_stands_in_one_list_and_one_line(tmp_path: Path) -> None:
    run = machine(tmp_path, apt_get="exit 9", apt_cache="echo 'Version: 3.11.2-1'").run("need", "test")
    assert run.returncode == 1
    assert run.stderr.splitlines() == [
        "This machine lacks:",
        "  - Python 3.11 to 3.14 with its venv and ensurepip modules",
        "  - Chromium (browser tests)",
        "  - Node.js with npm (what browser tests need of JavaScript)",
        "  - nginx (tests behind a proxy)",
        "  - Varnish (tests of pages that it keeps)",
        "  - OpenSSL's command (their certificates)",
        "  - PHP (tests of the WordPress plugin)",
        "  - libfaketime (faults of clocks)",
        "Install it, then try again:",
        "  sudo apt-get install python3 python3-venv chromium nodejs npm nginx varnish openssl php-cli faketime",
    ]


def test_running_the_service_needs_no_browser(tmp_path: Path) -> None:
    assert machine(tmp_path, python3=GOOD_PYTHON).run("need", "run").returncode == 0


def test_the_benchmark_needs_its_client_and_no_browser(tmp_path: Path) -> None:
    here = machine(tmp_path, python3=GOOD_PYTHON, apt_get="exit 9")
    assert "sudo apt-get install wrk\n" in here.run("need", "bench").stderr
    (tmp_path / "bin/wrk").symlink_to("/bin/true")
    assert here.run("need", "bench").returncode == 0


def test_leaving_the_browser_tests_out_needs_no_browser(tmp_path: Path) -> None:
    here = machine(
        tmp_path, python3=GOOD_PYTHON, nginx="true", varnishd="true", openssl="true", faketime="true", php="true"
    )
    assert here.run("need", "test", skip="cluster,browser").returncode == 0
    assert here.run("need", "test", skip="cluster").returncode == 1


def test_leaving_the_process_tests_out_needs_no_proxy(tmp_path: Path) -> None:
    here = machine(tmp_path, python3=GOOD_PYTHON, chromium="true", node="true", npm="true")
    assert here.run("need", "test", skip="processes").returncode == 0
    assert here.run("need", "test").returncode == 1


def test_a_python_without_ensurepip_counts_as_missing(tmp_path: Path) -> None:
    here = machine(tmp_path, python3=BARE_PYTHON, apt_get="exit 9", apt_cache="echo 'Version: 3.11.2-1'")
    assert "sudo apt-get install python3 python3-venv\n" in here.run("need", "run").stderr


def test_where_the_default_python_is_too_old_a_newer_one_is_asked_for(tmp_path: Path) -> None:
    offers = (
        "[[ $* == *python3.12-venv || $* == *python3.11-venv ]] || [[ $* == *python3 ]] && echo 'Version: 3.10.6-1'"
    )
    here = machine(tmp_path, apt_get="exit 9", apt_cache=offers)
    assert "sudo apt-get install python3.12 python3.12-venv\n" in here.run("need", "run").stderr


def test_as_root_what_is_missing_is_installed_and_found(tmp_path: Path) -> None:
    here = machine(
        tmp_path, user=0, python3=GOOD_PYTHON, node="true", npm="true", apt_get=BRINGS_CHROMIUM, apt_cache="true"
    )
    run = here.run("need", "test", skip="processes")
    assert run.returncode == 0
    assert (tmp_path / "bin/log").read_text().split()[-3:] == ["--yes", "--no-install-recommends", "chromium"]


def test_as_root_what_an_installation_did_not_bring_is_an_error(tmp_path: Path) -> None:
    here = machine(tmp_path, user=0, python3=GOOD_PYTHON, node="true", npm="true", apt_get="true", apt_cache="true")
    run = here.run("need", "test", skip="processes")
    assert run.returncode == 1
    assert run.stderr.endswith("Still lacking after apt-get install:\n  - Chromium (browser tests)\n")


def test_a_machine_without_apt_is_told_what_to_bring(tmp_path: Path) -> None:
    run = machine(tmp_path).run("need", "run")
    assert run.returncode == 1
    assert run.stderr.endswith("Install it with this system's package manager, then try again.\n")


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_complete_environment_needs_no_other_python(tmp_path: Path, lock: str) -> None:
    here = machine(tmp_path)
    here.set_up(lock)
    assert here.run("need", "run").returncode == 0
    assert here.run("need", "quick").returncode == 0


def test_an_environment_made_from_another_lock_does_not_stand_for_a_python(tmp_path: Path) -> None:
    here = machine(tmp_path)
    here.set_up("requirements.lock")
    with (here.clone / "requirements.lock").open("a") as file:
        file.write("# changed\n")
    assert here.run("need", "run").returncode == 1


def test_an_environment_whose_python_is_gone_does_not_stand_for_one(tmp_path: Path) -> None:
    here = machine(tmp_path)
    here.set_up("requirements.lock", python=BROKEN_PYTHON)
    assert here.run("need", "run").returncode == 1


def test_an_unknown_target_is_wrong_usage(tmp_path: Path) -> None:
    assert machine(tmp_path).run("need", "rnu").returncode == 2


@pytest.mark.parametrize(("first", "second"), [(GOOD_PYTHON, NEWER_PYTHON), (NEWER_PYTHON, GOOD_PYTHON)])
def test_the_newest_usable_python_is_taken(tmp_path: Path, first: str, second: str) -> None:
    here = machine(tmp_path, python3=first, python3_12=second, python3_13=BROKEN_PYTHON, python3_14=BARE_PYTHON)
    assert here.run("find-python").stdout == "/machine/python3.13\n"


@pytest.mark.parametrize(("minor", "usable"), [(10, False), (11, True), (14, True), (15, False)])
def test_a_python_is_usable_where_the_lock_has_wheels_for_it(tmp_path: Path, minor: int, usable: bool) -> None:
    run = machine(tmp_path, python3=python(minor)).run("find-python")
    assert (run.returncode == 0) is usable


def test_a_virtual_environment_stands_for_the_python_it_was_made_from(tmp_path: Path) -> None:
    found = Path(machine(tmp_path, python3=f'exec "{sys.executable}" "$@"').run("find-python").stdout.strip())
    assert os.access(found, os.X_OK)
    assert not (found.parent.parent / "pyvenv.cfg").exists()
