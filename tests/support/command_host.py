"""A campaigns folder, a data folder, a Redis, and the command line between them."""

import os
from pathlib import Path

from click.testing import CliRunner, Result
from redis import Redis
from sample import copy_sample

from adserver.catalog.redis_store import RedisRevisionStore
from adserver.cli.main import main


class Host:
    """Where commands are typed. One test."""

    def __init__(self, folder: Path, redis: Redis, socket: Path) -> None:
        self.campaigns = folder / "campaigns"
        copy_sample(self.campaigns)
        self.data_dir = folder / "data"
        self.store = RedisRevisionStore(redis)
        unset = {name: None for name in os.environ if name.startswith("ADSERVER_")}
        self.environ: dict[str, str | None] = {
            **unset,
            "ADSERVER_REDIS_URL": f"unix://{socket}",
            "ADSERVER_DATA_DIR": str(self.data_dir),
            "ADSERVER_CAMPAIGNS_DIR": str(self.campaigns),
            "LOGNAME": "kim",
        }

    def run(self, *arguments: str, **environ: str) -> Result:
        result = CliRunner(env={**self.environ, **environ}).invoke(main, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.campaigns / name).read_text()
        assert old in text
        (self.campaigns / name).write_text(text.replace(old, new, 1))

    def line_of(self, name: str, text: str) -> int:
        lines = (self.campaigns / name).read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)

    def revision(self) -> int:
        return self.store.head().number
