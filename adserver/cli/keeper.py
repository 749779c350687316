"""`adserver keeper`: the host's keeper, started by `adserver serve`."""

import logging
import os
from typing import Final

import click

from adserver.catalog.following import LateFirstPublication
from adserver.config import Settings
from adserver.places.gazetteer import Gazetteer
from adserver.processes.data_dir import DataDir
from adserver.processes.keeper_process import keep
from adserver.processes.logs import configure_logging
from adserver.runtime.keeper import make_keeper
from adserver.runtime.publishing import open_publisher

_LOG: Final = logging.getLogger(__name__)


@click.command("keeper", hidden=True)
def keeper_command() -> None:
    """Bring spools to the counts and revisions to this host, until told to end."""
    settings = Settings.from_environ(os.environ)
    configure_logging(settings.log_format)
    late = LateFirstPublication(settings.campaigns_dir, open_publisher(settings), _LOG.info)
    if not keep(make_keeper(settings, Gazetteer.load()), DataDir(settings.data_dir).path, late.step):
        raise click.ClickException("another keeper works on this data folder")
