"""The little of a shell that the documents' examples need: curl as a request, adserver as a command, jq, cat."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from click.testing import CliRunner
from flask.testing import FlaskClient
from pipeline import Pipeline

from adserver.cli.main import main

BASE: Final = "http://127.0.0.1:8080"
"""Where the examples find the service."""

_ASSIGNMENT: Final = re.compile(r"([A-Z_]+)=\$\((.*)\)", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$\{?([A-Z_]+)\}?")
_EXIT: Final = re.compile(r"# exits ([0-9]+)")
_WITH_VALUE: Final = frozenset({"-A", "-H", "-X", "-d", "-o", "--data-binary"})
_ALONE: Final = frozenset({"-s", "-i"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the last command gave. Immutable."""

    output: str
    status: int
    """The HTTP status of a curl, else the exit code."""
    headers: dict[str, str] = field(default_factory=dict)
    """By their names in small letters."""


@dataclass(slots=True)
class Request:
    """A curl command, read."""

    url: str = ""
    method: str | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"User-Agent": "curl/8.0"})
    body: bytes | None = None


class Shell:
    """Runs the commands of one page. One test; its folder must be the working directory."""

    def __init__(self, pipeline: Pipeline, folder: Path, environ: dict[str, str]) -> None:
        self._pipeline = pipeline
        self._folder = folder
        self._environ = environ
        self._variables: dict[str, str] = {}

    def run(self, script: str) -> Outcome:
        """Run a block's commands, each of which must succeed unless the page says otherwise; return the last one's.

        A curl's status is left to who looks at the answer, unless its output is used.
        """
        outcome = Outcome("", 0)
        for command in commands_of(script):
            outcome = self._command(command)
        return outcome

    def _command(self, text: str) -> Outcome:
        assigned = _ASSIGNMENT.fullmatch(text.strip())
        if assigned is not None:
            outcome = self._pipe(assigned[2])
            assert outcome.status in (0, 200), (text, outcome)
            self._variables[assigned[1]] = outcome.output.strip()
            return outcome
        return self._pipe(text)

    def _pipe(self, text: str) -> Outcome:
        words = shlex.split(_VARIABLE.sub(lambda found: self._variables[found[1]], text), comments=True)
        first, *rest = _split(words, "|")
        outcome = self._simple(first, int(found[1]) if (found := _EXIT.search(text)) else 0)
        for words in rest:
            assert words[:2] == ["jq", "-r"], f"the documents' shell knows no {words}"
            assert outcome.status == 200, (text, outcome)
            outcome = Outcome(_pick(json.loads(outcome.output), words[2]), 0)
        return outcome

    def _simple(self, words: list[str], exit_code: int) -> Outcome:
        self._pipeline.settle()
        match words:
            case ["curl", *arguments]:
                return self._curl(read_curl(arguments, self._folder))
            case ["adserver" | ".venv/bin/adserver", *arguments]:
                result = CliRunner().invoke(main, arguments, env=self._environ)
                assert result.exit_code == exit_code, (words, result.output, result.exception)
                return Outcome(result.output, result.exit_code)
            case ["cat", name]:
                return Outcome((self._folder / name).read_text(), 0)
        raise AssertionError(f"the documents' shell knows no {words}")

    def _curl(self, asked: Request) -> Outcome:
        assert asked.url.startswith(BASE), asked.url
        method = asked.method or ("GET" if asked.body is None else "POST")
        client: FlaskClient = self._pipeline.client
        answer = client.open(
            asked.url.removeprefix(BASE), base_url=BASE, method=method, headers=asked.headers, data=asked.body
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Outcome(answer.get_data().decode(errors="replace"), answer.status_code, headers)


def commands_of(script: str) -> Iterator[str]:
    """Yield the commands of a script: a line, or several where a quote or a backslash goes on."""
    command = ""
    for line in script.splitlines():
        command = f"{command}\n{line}" if command else line
        if command.endswith("\\"):
            command = command.removesuffix("\\").rstrip()
            continue
        try:
            words = shlex.split(command, comments=True)
        except ValueError:  # a quote is open
            continue
        if words:
            yield command
        command = ""
    assert not command, f"a quote is never closed: {command}"


def read_curl(arguments: list[str], folder: Path) -> Request:
    """Return what curl would ask."""
    asked = Request()
    words = iter(arguments)
    for word in words:
        if word in _WITH_VALUE:
            _take(asked, word, next(words), folder)
        elif word not in _ALONE:
            assert not word.startswith("-"), f"the documents' curl knows no {word}"
            assert not asked.url, f"two addresses: {asked.url} {word}"
            asked.url = word
    if asked.body is not None:
        asked.headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return asked


def _take(asked: Request, option: str, value: str, folder: Path) -> None:
    match option:
        case "-A":
            asked.headers["User-Agent"] = value
        case "-H":
            name, _, text = value.partition(":")
            asked.headers[name.strip()] = text.strip()
        case "-X":
            asked.method = value
        case "-d" | "--data-binary":
            asked.body = (folder / value[1:]).read_bytes() if value.startswith("@") else value.encode()


def _split(words: list[str], mark: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == mark:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _pick(document: object, path: str) -> str:
    value = document
    for name in path.strip(".").split("."):
        assert isinstance(value, dict), (path, value)
        value = value[name]
    return str(value)
