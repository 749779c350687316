"""What gunicorn says itself, in the service's form, and never with an address of a page or a reader in it."""

import logging
import os
from typing import Final

from gunicorn.config import Config  # type: ignore[import-untyped]  # it publishes no types
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from adserver.config import LOG_FORMAT
from adserver.processes.logs import formatter_of

_SPEAKING: Final = ("Error handling request", "Invalid request from ip=")
"""How its messages begin that go on with the address of a page or of a reader."""


class GunicornLog(Logger):  # type: ignore[misc]  # gunicorn publishes no types
    """gunicorn's logger. One a process; set up before any request."""

    def setup(self, cfg: Config) -> None:
        """Set up as gunicorn does, then put the form of ADSERVER_LOG_FORMAT on its lines."""
        super().setup(cfg)
        formatter = formatter_of(LOG_FORMAT.read(os.environ))
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter)
        self.error_log.addFilter(silence_addresses)


def silence_addresses(record: logging.LogRecord) -> bool:
    """Cut a message of gunicorn's down to what it says of us; always returns True, the line stays."""
    for beginning in _SPEAKING:
        if str(record.msg).startswith(beginning):
            record.msg, record.args = beginning.removesuffix(" from ip="), ()
    return True
