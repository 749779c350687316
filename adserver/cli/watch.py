"""`adserver watch`: publishes the campaigns folder at every save, started by `adserver serve --watch`."""

import os
import signal
import threading
from typing import Final

import click

from adserver.catalog.following import FolderFollower
from adserver.config import Settings
from adserver.processes.logs import configure_logging
from adserver.runtime.publishing import open_publisher

_POLL_SECONDS: Final = 0.2


@click.command("watch", hidden=True)
def watch_command() -> None:
    """Follow the campaigns folder until told to end."""
    settings = Settings.from_environ(os.environ)
    configure_logging(settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    follower = FolderFollower(settings.campaigns_dir, open_publisher(settings), lambda line: click.echo(line, err=True))
    while not stop.wait(_POLL_SECONDS):
        follower.step()
