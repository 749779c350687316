"""How gunicorn serves the application; host, port and number of workers come on its command line.

Read by gunicorn as `-c python:adserver.processes.gunicorn_conf`; names that an older version does not know it ignores.
"""

import os
from pathlib import Path
from typing import Final

_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - heartbeats, by files that gunicorn makes and unlinks

worker_class = "adserver.processes.gunicorn_worker.PatientWorker"
"""gthread, but that slow clients hold no thread."""
threads = 4
"""So many that half of them may wait for the store (web/store_gate.py) while pages go on; more would only queue for the
interpreter, which one thread has at a time."""
preload_app = False
"""The application is made after the fork, as its threads and token issuers are; its code is loaded before it."""
reuse_port = False

timeout = 30
graceful_timeout = 8
"""Seconds that requests in flight get at a stop; the supervisor waits half a second longer."""
keepalive = 2
"""Seconds; a stop waits this long for idle connections."""

limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190

forwarded_allow_ips = ""
"""Nobody: ADSERVER_TRUSTED_PROXIES decides in the application whose forwarded headers are believed."""

control_socket_disable = True
"""It would be shared by all instances of a user."""

accesslog = None
"""Addresses carry tokens, and readers' addresses reach no log."""
errorlog = "-"
logger_class = "adserver.processes.gunicorn_log.GunicornLog"
loglevel = "error"
"""Its warnings of unreadable requests carry the reader's address."""

worker_tmp_dir = str(_SHARED_MEMORY) if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else None
"""Heartbeats are files; on a disk that hangs they would look like a worker that hangs."""
