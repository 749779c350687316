"""`adserver serve` and `adserver demo`: the whole service of one host, supervised."""

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from adserver.catalog.file_names import COMPILED_NAME
from adserver.cli.backing import backing_specs, publish_first
from adserver.cli.refusals import refusing
from adserver.config import DATA_DIR, DEMO, Settings
from adserver.processes.children import ChildSpec, immediately
from adserver.processes.data_dir import DataDir
from adserver.processes.doors import FrontDoor, ListenAddress
from adserver.processes.gunicorn_server import web_spec
from adserver.processes.supervisor import Supervisor

_PORT: Final = click.IntRange(1, 65_535)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=8080, show_default=True, help="Port to listen on.")
@click.option("--watch", is_flag=True, help="Publish the campaigns folder at every save.")
def serve_command(host: str, port: int, *, watch: bool) -> None:
    """Serve sponsor lines: embedded Redis where ADSERVER_REDIS_URL is unset, keeper, and workers.

    The first start publishes the campaigns folder. Ctrl-C or SIGTERM stops all of it; every count is kept. SIGHUP
    starts new workers and a new keeper on the code that is installed now, and fails no request.
    """
    with refusing(as_json=False):
        _serve(Settings.from_environ(os.environ), ListenAddress(host, port), watch=watch)


@click.command("demo")
@click.option("--port", type=_PORT, default=8080, show_default=True, help="Port to listen on.")
def demo_command(port: int) -> None:
    """Serve with the demo news page, and publish the campaigns folder at every save."""
    with refusing(as_json=False):
        settings = replace(Settings.from_environ(os.environ), demo=True)
        _serve(settings, ListenAddress("127.0.0.1", port), watch=True)


def _serve(settings: Settings, address: ListenAddress, *, watch: bool) -> None:
    if settings.geoip_db is not None:
        # Where none is set, this process never loads what only workers need.
        from adserver.runtime.reader_places import check_reader_places  # noqa: PLC0415

        check_reader_places(settings)
    data_dir = DataDir(settings.data_dir)
    with data_dir.lock(), contextlib.closing(FrontDoor(address)) as front:
        data_dir.secret_keys()
        is_first = not data_dir.has_admin_token()
        token = data_dir.admin_token()
        env = {**os.environ, DATA_DIR.name: str(data_dir.path), DEMO.name: "yes" if settings.demo else "no"}
        specs = _specs(settings, data_dir.path, front, env, watch=watch)
        Supervisor(specs, _say).run(
            on_up=lambda: _say_what_to_open(settings, address, data_dir, token if is_first else None)
        )
    _say("stopped; every count is kept")


def _specs(
    settings: Settings, data_dir: Path, front: FrontDoor, env: Mapping[str, str], *, watch: bool
) -> list[ChildSpec]:
    """Return the children in the order of their start: each needs what the one before it brings."""
    specs = backing_specs(settings, data_dir, env, lambda: publish_first(settings, _say, watch=watch))
    # With a catalog from the last time, pages need nothing of the store or the keeper.
    specs.append(web_spec(front, settings.workers, env, starts_at_once=(data_dir / COMPILED_NAME).exists()))
    if watch:
        specs.append(_watch_spec(env))
    return specs


def _watch_spec(env: Mapping[str, str]) -> ChildSpec:
    return ChildSpec(
        name="watch",
        argv=(sys.executable, "-m", "adserver.cli.main", "watch"),
        env=env,
        progress=immediately,
        stop_signal=signal.SIGTERM,
        grace_seconds=2.0,
    )


def _say_what_to_open(settings: Settings, address: ListenAddress, data_dir: DataDir, new_token: str | None) -> None:
    base = settings.public_url or f"http://{address}"
    _say(f"adserver is up on {base}")
    if settings.demo:
        _say(f"  demo news page  {base}/demo/")
    _say(f"  console         {base}/console/")
    _say(f"  the API         {base}/docs")
    _say(f"  a sponsor line  {base}/v1/slots/masthead?location=Remer,MN")
    _say(f"  the counts      adserver stats, or POST {base}/v1/query")
    if settings.admin_token is None:
        _say(f"  admin token     {data_dir.path / 'admin-token'}")
        if new_token is not None and sys.stdout.isatty():  # once: a screen is seen by others too
            _say(f"                  {new_token}")


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
