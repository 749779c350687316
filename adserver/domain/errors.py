"""Errors with a name, worded for the person who sees them; `web` and `cli` each keep one table from them to answers."""

from dataclasses import dataclass


class AdserverError(Exception):
    """Base of everything this project raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: where, what, and what would be right."""

    path: str
    """Field path such as `campaigns[0].flights[1].slots[0]`, or a query name."""
    message: str
    file: str | None = None
    line: int | None = None
    """1-based; None where the input has no lines."""
    column: int | None = None
    """1-based."""
    sheet: str | None = None
    """Of a spreadsheet, whose rows are `line` and whose columns are `column`; None: the input has no sheets."""

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.sheet, self.line, self.column) if part is not None)
        return ": ".join(part for part in (where, self.path, self.message) if part)


class InputRefused(AdserverError):
    """An upload was read, and something in it is wrong; nothing of it was stored."""

    def __init__(self, faults: "tuple[Fault, ...]") -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class UnreadableInput(AdserverError):
    """Bytes that are not the format they claim to be."""


class InputTooLarge(AdserverError):
    """More bytes, slots or events than are taken in one call."""


class UnsupportedFormat(AdserverError):
    """A content type or encoding that is not taken."""


class StaleBase(AdserverError):
    """The live revision is no longer the one that a change was made for."""

    def __init__(self, base: int, live: int) -> None:
        super().__init__(f"the live revision is {live}, not {base}; fetch it, look at the new plan, and send again")
        self.base = base
        self.live = live


class IdTaken(AdserverError):
    """An id of the upload already belongs to something of another campaign."""

    def __init__(self, faults: "tuple[Fault, ...]") -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class NotLive(AdserverError):
    """A change of something that is not there, or not for its sender."""


class UnknownAdvertiser(AdserverError):
    """An upload is about an advertiser that does not exist for its sender."""

    def __init__(self, faults: "tuple[Fault, ...]") -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class ParameterRefused(AdserverError):
    """A query parameter or a body field of a delivery call cannot be read."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class StoreUnavailable(AdserverError):
    """Redis did not answer in time; try again, and look at its log where it goes on."""


class SettingRefused(AdserverError):
    """A setting of the environment has a value that it cannot take."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class DataDirBusy(AdserverError):
    """Another service works on the same data folder."""

    def __init__(self, path: str, pid: int) -> None:
        super().__init__(f"the data folder {path} is in use by process {pid}; stop it, or set ADSERVER_DATA_DIR")
        self.pid = pid
