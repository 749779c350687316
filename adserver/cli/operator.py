"""Who works at the command line, for the history."""

import getpass


def operator_name(otherwise: str) -> str:
    """Return the name of the system's user, or a word where there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return otherwise
