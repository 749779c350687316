"""Follows a transcript of the documents as somebody would: two terminals, an editor, a browser."""

import html
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

from doc_pages import Block, is_text_like
from service import READER, Service

SHOWN_PORT: Final = "8080"
COMMAND: Final = re.compile(r"^\$ (?P<command>.*)\n(?P<answer>(?:(?!\$ ).*\n)*)", re.MULTILINE)
_EXIT: Final = re.compile(r"# exits ([0-9]+)$")


class Reader:
    """Who follows the transcript: two terminals, an editor, a browser. One test."""

    def __init__(self, folder: Path) -> None:
        self.service = Service(folder, ADSERVER_CAMPAIGNS_DIR="campaigns")
        self._folder = folder
        """Where the second terminal is."""
        self._read = 0
        """How much of the first terminal was read."""
        self._page = ""

    def follow(self, block: Block) -> None:
        """Do what a block shows, and see what it says."""
        match block.language, block.rest:
            case "console", "service":
                self.service.start("--watch")
                found = COMMAND.fullmatch(block.text)
                assert found is not None
                assert found["command"] == "make run"
                self.await_said(block, found["answer"].removeprefix("…\n"))
            case "text", "service":
                self.await_said(block, block.text)
            case "console", "":
                for found in COMMAND.finditer(block.text):
                    self.type(block, found["command"], found["answer"])
            case "text", "page":
                self.open_page(block)
            case "text", "click":
                self.click(block)
            case "yaml", name:
                (self.service.folder / name).write_text(block.text)
            case _:
                raise AssertionError(f"{block}: nobody knows what to do with it")

    def await_said(self, block: Block, shown: str) -> None:
        """Wait until the service has said what is shown, after all that was shown before."""
        pattern = ".*?".join(re.escape(part) for part in self._here(shown.strip()).split("…"))
        try:
            self.service.await_that(lambda: re.search(pattern, self.service.said()[self._read :]) is not None)
        except TimeoutError:
            raise AssertionError(f"{block} is not said, but\n{self.service.said()}") from None
        found = re.search(pattern, self.service.said()[self._read :])
        assert found is not None
        self._read += found.end()

    def type(self, block: Block, command: str, answer: str) -> None:
        """Type a command until it answers what is shown: counts come within two seconds."""
        match shlex.split(_EXIT.sub("", command)):
            case ["mkdir", name]:
                (self._folder / name).mkdir()
            case ["cd", name]:
                self._folder = (self._folder / name).resolve()
            case ["export", "ADSERVER_DATA_DIR=$PWD/.adserver"]:
                assert "ADSERVER_DATA_DIR" in self.service.environ, (
                    "that is where the service of the tests keeps its data"
                )
            case ["adserver" | ".venv/bin/adserver", *arguments]:
                exits = _EXIT.search(command)
                self._run(block, command, arguments, answer, int(exits[1]) if exits else None)
            case _:
                raise AssertionError(f"{block}: nobody knows {command}")

    def _run(self, block: Block, command: str, arguments: list[str], answer: str, exits: int | None) -> None:
        given = ""

        def answered() -> bool:
            nonlocal given
            done = subprocess.run(
                [sys.executable, "-m", "adserver.cli.main", *arguments],
                check=False,  # what it answers is looked at
                cwd=self._folder,
                env=self.service.environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
            )
            given = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
            return is_text_like(self._here(answer.strip()), given) and exits in (None, done.returncode)

        try:
            self.service.await_that(answered)
        except TimeoutError:
            raise AssertionError(f"{block}: {command} answers\n{given}") from None

    def open_page(self, block: Block) -> None:
        """Reload the demo until it shows a line."""

        def shows() -> bool:
            status, _, body = self.service.call("/demo/")
            assert status == 200
            self._page = body.decode()
            return block.text.strip() in visible(self._page)

        try:
            self.service.await_that(shows)
        except TimeoutError:
            raise AssertionError(f"{block} is not on the page") from None
        for beacon in re.findall(r'src="\.\.(/v1/seen/[^"]+)"', self._page):
            assert self.service.call(html.unescape(beacon))[0] == 200

    def click(self, block: Block) -> None:
        """Follow the line above the article."""
        found = re.search(r'<div class="slot slot-wide">.*?href="\.\.(/go/[^"]+)"', self._page, re.DOTALL)
        assert found is not None
        status, headers, _ = self.service.call(html.unescape(found[1]), headers=READER)
        assert (status, headers["Location"]) == (302, block.text.strip())

    def _here(self, shown: str) -> str:
        return shown.replace(f"127.0.0.1:{SHOWN_PORT}", f"127.0.0.1:{self.service.port}")


def visible(page: str) -> str:
    """Return a page's text, the line of each slot as a browser shows it that has no stylesheet."""
    shown = re.sub(r" <span [^>]*hidden>[^<]*</span>", "", page)
    return html.unescape(re.sub(r"<[^>]+>", "", shown))
