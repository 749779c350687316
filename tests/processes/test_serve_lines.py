"""What `adserver serve` says on a terminal: the token once, when it is made, and a last line when it is stopped."""

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

from service import Service


class Terminal:
    """A service on a pseudo terminal of its own. For one thread; another one reads."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self._service = Service(folder, **environ)
        self._lines = bytearray()

    def start_and_stop(self, number: signal.Signals) -> str:
        """Run the service until it is up, send a signal, and return all that it said; it must end with 0."""
        self._lines.clear()
        ours, its = pty.openpty()
        command = (sys.executable, "-m", "adserver.cli.main", "serve", "--port", str(self._service.port))
        process = subprocess.Popen(
            command,
            cwd=self._service.folder,
            env=self._service.environ,
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        reader = threading.Thread(target=self._read, args=(ours,))
        reader.start()
        print(f"service {process.pid}")
        try:
            Service.await_that(lambda: b"admin token" in self._lines or process.poll() is not None)
            process.send_signal(number)
            assert process.wait(30) == 0, self._lines.decode()
        finally:
            if process.poll() is None:
                process.kill()
            reader.join(10)
        return self._lines.decode()

    @property
    def token(self) -> str:
        return (self._service.data_dir / "admin-token").read_text().strip()

    def _read(self, descriptor: int) -> None:
        try:
            while data := os.read(descriptor, 4096):
                self._lines += data
        except OSError:  # how Linux says that nobody has the other side any more
            pass
        finally:
            os.close(descriptor)


def test_a_token_is_shown_when_it_is_made_and_never_again_and_a_last_line_tells_of_the_counts(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, ADSERVER_WORKERS="1")
    first = terminal.start_and_stop(signal.SIGINT)
    again = terminal.start_and_stop(signal.SIGTERM)
    assert first.count(terminal.token) == 1
    assert terminal.token not in again
    assert str(tmp_path / "data" / "admin-token") in again
    assert [said.splitlines()[-1] for said in (first, again)] == ["stopped; every count is kept"] * 2
