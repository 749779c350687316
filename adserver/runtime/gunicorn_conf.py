"""How gunicorn serves under `adserver serve`: as everywhere, but the workers' code is loaded once, before they fork.

So a worker is there a tenth of a second after the one before it died, all run the same code, and much of their memory
is one. The application itself is made in each worker, as its threads and token issuers are.
"""

import gc

from adserver.processes.gunicorn_conf import *  # noqa: F403 - gunicorn reads one module, and each name in it
from adserver.runtime import worker  # noqa: F401 - what is to be loaded


def when_ready(_server: object) -> None:
    """Take what is loaded out of every later search for garbage, the first of which would copy it in each worker."""
    gc.collect()
    gc.freeze()
