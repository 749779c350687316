"""Whether a person's terminal is there, and whether it has gone."""

import os


def has_terminal() -> bool:
    """Tell whether this process has a terminal that is still connected: a window that is open, a line that is up."""
    try:
        descriptor = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    os.close(descriptor)
    return True
