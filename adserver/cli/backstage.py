"""`adserver backstage`: what counts behind workers that no `adserver serve` supervises; they start it themselves."""

import logging
import os
import time
from typing import Final

import click

from adserver.cli.backing import backing_specs, publish_first
from adserver.cli.refusals import refusing
from adserver.config import DATA_DIR, Settings
from adserver.domain.errors import DataDirBusy, InputRefused
from adserver.keeping.keeper_state import read_keeper_state
from adserver.processes.backstage import Linger, has_workers
from adserver.processes.data_dir import DataDir
from adserver.processes.logs import configure_logging
from adserver.processes.supervisor import Supervisor

_LOG: Final = logging.getLogger(__name__)
_FRESH_SECONDS: Final = 3.0
"""The keeper writes its state once a second."""


@click.command("backstage", hidden=True)
def backstage_command() -> None:
    """Run embedded Redis, where none is set, and keeper, until the last worker of this data folder is gone."""
    with refusing(as_json=False):
        settings = Settings.from_environ(os.environ)
        configure_logging(settings.log_format)
        data_dir = DataDir(settings.data_dir)
        try:
            lock = data_dir.lock()
        except DataDirBusy:  # another worker was first, or `adserver serve` does all this
            return
        with lock:
            _run(settings, data_dir)


def _run(settings: Settings, data_dir: DataDir) -> None:
    """Run until a signal, or until no worker is left: one that came while all was ending found the folder locked."""
    env = {**os.environ, DATA_DIR.name: str(data_dir.path)}
    while True:
        specs = backing_specs(settings, data_dir.path, env, lambda: _publish(settings))
        linger = Linger(lambda: has_workers(data_dir.path), lambda: _is_flushed(data_dir), time.monotonic)
        has_outlived_all = Supervisor(specs, _LOG.info).run(has_enough=linger.is_over)
        if not has_outlived_all or not has_workers(data_dir.path):
            return


def _publish(settings: Settings) -> None:
    try:
        publish_first(settings, _LOG.info, watch=False)
    except InputRefused as refused:  # the workers stay: they say in /readyz that nothing is published
        for fault in refused.faults:
            _LOG.error("%s", fault)
        _LOG.error(
            "nothing is published: mend %s, then run: adserver push (%d faults)",
            settings.campaigns_dir,
            len(refused.faults),
        )


def _is_flushed(data_dir: DataDir) -> bool:
    """Tell whether all events are counted, as the keeper said a moment ago."""
    state = read_keeper_state(data_dir.path)
    if state is None or time.time() - state.at >= _FRESH_SECONDS:
        return False
    return state.redis and state.backlog_bytes == 0
