"""`adserver serve` and `adserver demo`: the whole service of one host, supervised."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from adserver.catalog.following import FOLDER_AUTHOR, describe_difference
from adserver.cli.refusals import refusing
from adserver.config import DATA_DIR, DEMO, Settings
from adserver.domain.errors import AdserverError, StoreUnavailable
from adserver.processes.children import ChildSpec, immediately
from adserver.processes.data_dir import DataDir
from adserver.processes.embedded_redis import EmbeddedRedis
from adserver.processes.gunicorn_server import ListenAddress, wait_for_port, web_spec
from adserver.processes.keeper_process import keeper_spec
from adserver.processes.redis_binary import find_redis_binary
from adserver.processes.supervisor import Supervisor
from adserver.runtime import open_publisher

_PORT: Final = click.IntRange(1, 65_535)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=8080, show_default=True, help="Port to listen on.")
@click.option("--watch", is_flag=True, help="Publish the campaigns folder at every save.")
def serve_command(host: str, port: int, *, watch: bool) -> None:
    """Serve sponsor lines: embedded Redis where ADSERVER_REDIS_URL is unset, keeper, and workers.

    The first start publishes the campaigns folder. Ctrl-C or SIGTERM stops all of it; every count is kept.
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
    data_dir = DataDir(settings.data_dir)
    with data_dir.lock():
        wait_for_port(address)
        data_dir.secret_keys()
        data_dir.admin_token()
        env = {**os.environ, DATA_DIR.name: str(data_dir.path), DEMO.name: "yes" if settings.demo else "no"}
        specs = _specs(settings, data_dir.path, address, env, watch=watch)
        Supervisor(specs, _say).run(on_up=lambda: _say_what_to_open(settings, address, data_dir))


def _specs(
    settings: Settings, data_dir: Path, address: ListenAddress, env: Mapping[str, str], *, watch: bool
) -> list[ChildSpec]:
    """Return the children in the order of their start: each needs what the one before it brings."""
    specs: list[ChildSpec] = []
    if settings.redis_url is None:
        embedded = EmbeddedRedis.of(data_dir)
        embedded.prepare()
        specs.append(embedded.spec(find_redis_binary()))
    keeper = replace(keeper_spec(data_dir, env), before_first_start=lambda: _publish_first(settings, watch=watch))
    specs += [keeper, web_spec(address, settings.workers, env)]
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


def _publish_first(settings: Settings, *, watch: bool) -> None:
    """Publish the folder at the very first start; at a later one say how it differs from what is live."""
    try:
        publisher = open_publisher(settings)
        if publisher.live().revision == 0:
            published = publisher.first_publish(publisher.read_folder(settings.campaigns_dir), author=FOLDER_AUTHOR)
            if published is not None:
                _say(f"{settings.campaigns_dir}/ is published as revision {published.revision}")
        elif not watch:
            _say_if_any(lambda: describe_difference(settings.campaigns_dir, publisher))
    except StoreUnavailable as error:
        _say(f"Redis is away, so nothing new is published: {error}")


def _say_if_any(describe: Callable[[], str | None]) -> None:
    try:
        line = describe()
    except AdserverError as error:
        line = f"the campaigns folder was not compared with what is live: {error}"
    if line is not None:
        _say(line)


def _say_what_to_open(settings: Settings, address: ListenAddress, data_dir: DataDir) -> None:
    base = settings.public_url or f"http://{address}"
    _say(f"adserver is up on {base}")
    if settings.demo:
        _say(f"  demo news page  {base}/demo/")
    _say(f"  a sponsor line  {base}/v1/slots/masthead?location=Remer,MN")
    _say(f"  the counts      adserver stats, or POST {base}/v1/query")
    if settings.admin_token is None:
        _say(f"  admin token     {data_dir.path / 'admin-token'}")
        if sys.stdout.isatty():
            _say(f"                  {data_dir.admin_token()}")


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
