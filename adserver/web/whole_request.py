"""Bodies are read whole or refused."""

from typing import Literal, overload

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge


class WholeRequest(Request):
    """A request whose body is never cut short. One request, one thread.

    Werkzeug checks a declared length against the limit, but of a chunked body, which declares none, `get_data` returns
    the part up to the limit as if it were all; half of an upload may well read as a whole one.
    """

    @overload
    def get_data(
        self,
        cache: bool = ...,  # noqa: FBT001 - Werkzeug's signature, here and below
        as_text: Literal[False] = ...,
        parse_form_data: bool = ...,  # noqa: FBT001
    ) -> bytes: ...

    @overload
    def get_data(
        self,
        cache: bool = ...,  # noqa: FBT001
        as_text: Literal[True] = ...,
        parse_form_data: bool = ...,  # noqa: FBT001
    ) -> str: ...

    def get_data(
        self,
        cache: bool = True,  # noqa: FBT001, FBT002
        as_text: bool = False,  # noqa: FBT001, FBT002
        parse_form_data: bool = False,  # noqa: FBT001, FBT002
    ) -> bytes | str:
        """Return the body.

        Raises:
            RequestEntityTooLarge: it is declared longer than `max_content_length`, or, chunked, reaches it.
        """
        data: bytes = super().get_data(cache=cache, parse_form_data=parse_form_data)
        limit = self.max_content_length
        if self.content_length is None and limit is not None and len(data) >= limit:
            raise RequestEntityTooLarge
        return data.decode(errors="replace") if as_text else data
