"""The process that takes a worker's uploads; started by it, and ends with it."""

import os
import signal
import sys

from adserver.config import Settings
from adserver.places.gazetteer import Gazetteer
from adserver.processes.background import step_back
from adserver.processes.logs import configure_logging
from adserver.processes.upload_frames import Pipes
from adserver.processes.upload_process import serve_uploads
from adserver.runtime.clock import now_utc
from adserver.runtime.publishing import make_publisher
from adserver.runtime.redis_client import WEB_ANSWER_SECONDS, open_redis


def main() -> None:
    """Take uploads from the standard input until it ends."""
    pipes = Pipes(os.dup(sys.stdin.fileno()), os.dup(sys.stdout.fileno()))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not print between frames
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker ends it, once its last call is answered
    settings = Settings.from_environ(os.environ)
    step_back(os.getpid(), settings.data_dir)
    configure_logging(settings.log_format)
    client = open_redis(settings, WEB_ANSWER_SECONDS).client
    serve_uploads(pipes, make_publisher(client, Gazetteer.load(), settings.data_dir.absolute(), now_utc))


if __name__ == "__main__":
    main()
