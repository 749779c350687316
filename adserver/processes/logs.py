"""Log lines for people or for machines, on standard error; never an address, a token or a user agent in them.

What a request's views raise may quote the request, so its trace names the kinds of faults and the places in the code,
not what the faults say.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

import msgspec

from adserver.config_values import LogFormat
from adserver.web.request_ids import current_request_id

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SERVERS: Final = "gunicorn"
"""Loggers of this name speak of requests before these have an id."""

_MOST_CAUSES: Final = 8


def configure_logging(form: LogFormat, on_line: Callable[[str], None] | None = None) -> None:
    """Have this process log in one form from now on; called once, by the composition root.

    Args:
        form: for people or for machines.
        on_line: is told the level ("warning", "error") of each line that someone should look at.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter_of(form))
    root = logging.getLogger()
    root.handlers[:] = [handler] if on_line is None else [handler, _Teller(on_line)]
    root.setLevel(logging.INFO)


def formatter_of(form: LogFormat) -> logging.Formatter:
    """Return what makes lines of a form."""
    return JsonFormatter() if form is LogFormat.JSON else ConsoleFormatter()


class ConsoleFormatter(logging.Formatter):
    """`12:00:00 warning catalog.store_away fault=… request_id=…`. Immutable, shared by all threads."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the trace of an error beneath it."""
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        extras = "".join(f" {name}={value}" for name, value in _extras(record).items())
        line = f"{time} {record.levelname.lower()} {record.getMessage()}{extras}"
        trace = _trace_of(record)
        return f"{line}\n{trace}" if trace else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line. Immutable, shared by all threads."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            "pid": record.process,
            **{name: str(value) for name, value in _extras(record).items()},
        }
        trace = _trace_of(record)
        if trace:
            entry["trace"] = trace
        return msgspec.json.encode(entry).decode()


class _Teller(logging.Handler):
    """Tells the levels of warnings and errors. Shared by all threads, as what it tells is."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._on_line = on_line

    def emit(self, record: logging.LogRecord) -> None:
        self._on_line("error" if record.levelno >= logging.ERROR else "warning")


def _extras(record: logging.LogRecord) -> dict[str, object]:
    extras = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    request_id = current_request_id()
    return extras if request_id is None else {**extras, "request_id": request_id}


def _trace_of(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    fault = record.exc_info[1]
    if current_request_id() is None and not record.name.startswith(_SERVERS):
        return "".join(traceback.format_exception(fault)).rstrip("\n")
    return "\n".join(_quiet_trace(fault))


def _quiet_trace(fault: BaseException) -> Iterator[str]:
    """Yield the lines of a trace without what the faults say; the newest fault first, then what led to it."""
    seen: BaseException | None = fault
    for _ in range(_MOST_CAUSES):
        if seen is None:
            return
        yield f"{type(seen).__module__}.{type(seen).__qualname__}" if not _is_builtin(seen) else type(seen).__name__
        yield from _places(seen.__traceback__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _places(trace: TracebackType | None) -> Iterator[str]:
    for frame in traceback.extract_tb(trace):
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"


def _is_builtin(fault: BaseException) -> bool:
    return type(fault).__module__ == "builtins"
