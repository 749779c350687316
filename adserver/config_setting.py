"""What a setting is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from adserver.domain.errors import SettingRefused

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Setting(Generic[T_co]):
    """One setting: what the docs say of it, and how its text is read. Immutable."""

    name: str
    default: T_co
    shown_default: str
    """The default as the docs show it."""
    unit: str
    """What the value is counted in or made of."""
    takes: str
    """Completes "it takes …"."""
    meaning: str
    parse: Callable[[str], T_co] = field(repr=False)
    """Returns the value, or raises ValueError with what is wrong; never with a secret in it."""

    def read(self, environ: Mapping[str, str]) -> T_co:
        """Return the value in `environ`, or the default where it is unset or empty.

        Raises:
            SettingRefused: the value cannot be taken.
        """
        text = environ.get(self.name, "").strip()
        if not text:
            return self.default
        try:
            return self.parse(text)
        except ValueError as error:
            raise SettingRefused(self.name, f"{error}; it takes {self.takes}") from error
