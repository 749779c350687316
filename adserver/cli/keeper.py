"""`adserver keeper`: the host's keeper, started by `adserver serve`."""

import os

import click

from adserver.config import Settings
from adserver.places.gazetteer import Gazetteer
from adserver.processes.data_dir import DataDir
from adserver.processes.keeper_process import keep
from adserver.processes.logs import configure_logging
from adserver.runtime import make_keeper


@click.command("keeper", hidden=True)
def keeper_command() -> None:
    """Bring spools to the counts and revisions to this host, until told to end."""
    settings = Settings.from_environ(os.environ)
    configure_logging(settings.log_format)
    if not keep(make_keeper(settings, Gazetteer.load()), DataDir(settings.data_dir).path):
        raise click.ClickException("another keeper works on this data folder")
