"""The application of one worker process, as a WSGI server loads it: settings come from the environment."""

import atexit
import os

from flask import Flask

from adserver.config import DATA_DIR, Settings
from adserver.counting.tally import Tally
from adserver.places.gazetteer import Gazetteer
from adserver.processes.backstage import BackstageWatch, show_presence, start_backstage
from adserver.processes.data_dir import DataDir
from adserver.processes.interpreter import favour_requests
from adserver.processes.logs import configure_logging
from adserver.processes.upload_process import UploadProcess
from adserver.runtime.app import make_app
from adserver.runtime.clock import now_utc
from adserver.web.beginning import BeginningWithRequests
from adserver.web.upkeep import Upkeep


def create_wsgi_app() -> Flask:
    """Return the application for a worker of `adserver serve`, which keeps the keeper beside it.

    Raises:
        SettingRefused: a setting of the environment has a value that it cannot take.
    """
    app, upkeep = _make_worker(Settings.from_environ(os.environ))
    upkeep.start()
    return app


def create_standalone_app() -> Flask:
    """Return the application for any WSGI server; it starts, once on a host, what counts behind it.

    Its thread starts with a process's first request, so one that only loads the application, to fork workers from it,
    has none.

    Raises:
        SettingRefused: a setting of the environment has a value that it cannot take.
    """
    settings = Settings.from_environ(os.environ)
    data_dir = DataDir(settings.data_dir)
    environ = {**os.environ, DATA_DIR.name: str(data_dir.path)}
    backstage = BackstageWatch(data_dir, lambda: start_backstage(environ))
    app, upkeep = _make_worker(settings)
    show_presence(data_dir.path)
    backstage.poll()
    upkeep.watch(backstage)
    app.wsgi_app = BeginningWithRequests(app.wsgi_app, upkeep.start)  # type: ignore[method-assign]  # Flask's own way
    return app


def _make_worker(settings: Settings) -> tuple[Flask, Upkeep]:
    tally = Tally()
    configure_logging(settings.log_format, tally.log_line)
    # Not left to gunicorn, which refuses every path without the prefix, those of health checks too.
    script_name = os.environ.pop("SCRIPT_NAME", "")
    uploads = UploadProcess()
    app, upkeep = make_app(settings, Gazetteer.load(), now_utc, tally, script_name=script_name, desk=uploads)
    upkeep.watch(uploads)
    atexit.register(uploads.close)
    favour_requests()
    return app, upkeep
