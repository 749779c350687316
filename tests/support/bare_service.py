"""`gunicorn wsgi:app` as an operator runs it, without `adserver serve`: its workers start what counts behind them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from service import ROOT, Service, is_running, kill


class BareService(Service):
    """Two gunicorn workers of `wsgi:app` on a copy of the sample campaigns, and the backstage of their data folder."""

    def start(self, *arguments: str) -> None:
        """Start gunicorn and wait until it is ready: from then on each worker finds the first revision."""
        self.launch(*arguments)
        self.await_that(lambda: self.has_ended() or self.is_ready())
        assert not self.has_ended(), self.said()

    def launch(self, *arguments: str) -> None:
        """Start gunicorn."""
        self._launch(
            (
                *(sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "4", "--workers", "2"),
                *(
                    "--no-control-socket",
                    "--chdir",
                    str(ROOT),
                    "--bind",
                    f"127.0.0.1:{self.port}",
                    *arguments,
                    "wsgi:app",
                ),
            )
        )

    def _launch(self, command: Sequence[str]) -> None:
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=self.environ, stdout=output, stderr=output, start_new_session=True
            )

    def is_ready(self) -> bool:
        """Tell whether a worker says that it is ready."""
        try:
            return self.call("/readyz")[0] == 200
        except OSError:
            return False

    def workers(self) -> list[int]:
        """Return the pids of the gunicorn workers."""
        return sorted(pid for pid, command in self.pids().items() if "gunicorn" in command)

    def of_this_folder(self) -> dict[int, str]:
        """Return every process with this data folder in its environment, the backstage and its children too."""
        ours = f"ADSERVER_DATA_DIR={self.data_dir}".encode()
        found: dict[int, str] = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                environ, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
            except OSError:
                continue
            of_redis = str(self.data_dir).encode() in command  # it has an environment of its own
            if (ours in environ.split(b"\0") or of_redis) and is_running(int(entry.name)):
                found[int(entry.name)] = command.replace(b"\0", b" ").decode()
        return found

    def backstage(self) -> int:
        """Return the pid of the process that counts behind the workers, once it has the data folder."""
        lock = self.data_dir / "service.lock"
        self.await_that(lambda: lock.exists() and lock.read_text().strip().isdigit())
        return int(lock.read_text())

    def await_backstage_other_than(self, pid: int) -> int:
        """Return the pid of the next one."""
        self.await_that(lambda: self.backstage() != pid)
        return self.backstage()

    def end(self) -> None:
        """Leave nothing running, whatever became of the test."""
        super().end()
        for pid in self.of_this_folder():
            kill(pid)


class GranianService(BareService):
    """Two Granian workers of `wsgi:app`, likewise."""

    def launch(self, *arguments: str) -> None:
        """Start Granian."""
        self._launch(
            (
                *(sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4"),
                *("--working-dir", str(ROOT), "--host", "127.0.0.1", "--port", str(self.port), *arguments, "wsgi:app"),
            )
        )

    def workers(self) -> list[int]:
        """Return the pids of the Granian workers."""
        return sorted(pid for pid, command in self.pids().items() if "backstage" not in command)


@contextmanager
def running_bare_service(folder: Path, *arguments: str, **environ: str) -> Iterator[BareService]:
    """Start gunicorn, and leave nothing of it running."""
    service = BareService(folder, **environ)
    try:
        service.start(*arguments)
        yield service
    finally:
        service.end()
