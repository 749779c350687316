"""What a question about the counts can be refused for."""

from adserver.domain.errors import AdserverError, InputRefused


class QueryRefused(InputRefused):
    """A query was read, and something in it is wrong, or asks for what is not kept together; lists every fault."""


class GrainGone(AdserverError):
    """A query needs finer times than those to which cells that it asks for were moved."""

    def __init__(self) -> None:
        super().__init__("what is asked for is not kept so finely any more")
