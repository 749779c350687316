"""What a question about the counts can be refused for."""

from adserver.domain.errors import InputRefused


class QueryRefused(InputRefused):
    """A query was read, and something in it is wrong, or asks for what is not kept together; lists every fault."""
