"""A client of a cluster that stores use as they use a client of one server."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, ClusterPipeline, RedisCluster
from redis.commands import READ_COMMANDS
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from adserver.store.address import Endpoint

_Done = TypeVar("_Done")

_SAFE_TWICE: Final = READ_COMMANDS | {"PFCOUNT"}  # which writes nothing but its own memory of the result
_STALE: Final = (AttributeError, KeyError, IndexError)
"""What redis-py trips over when a redirection leads to a node that its picture of the cluster lacks."""


class ClusterClient(redis.Redis):
    """Sends each command to the node that has its keys. Shared by all threads, as one of a single server is.

    It connects at first use, not when it is made. A command is sent again only where a node refused it unread (MOVED,
    ASK, TRYAGAIN); one whose answer was lost is not, the caller decides. redis-py sends the commands of a pipeline
    again one by one, whatever its retries are set to, so a pipeline takes reads only. Every failure is a `RedisError`.
    """

    def __init__(self, endpoints: Sequence[Endpoint], **connection: Any) -> None:  # noqa: ANN401 - of many kinds, as redis-py has it
        """Take some of the cluster's nodes, by which it finds the rest, and what connections are made with."""
        super().__init__()  # whose own pool is never used: all goes through `execute_command` and `pipeline`
        self._endpoints = tuple(endpoints)
        self._connection = connection
        self._cluster: RedisCluster | None = None
        self._opening = threading.Lock()

    def execute_command(self, *args: object, **options: object) -> Any:  # noqa: ANN401 - as redis-py has it
        """Run one command on the node that has its keys."""
        return self._run(lambda cluster: cluster.execute_command(*args, **options))

    def pipeline(self, transaction: bool = False, shard_hint: str | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002 - as redis-py has it
        """Return a pipeline of reads, grouped by node.

        Raises:
            RedisError: a transaction is asked for, or the cluster does not answer.
        """
        if transaction or shard_hint:
            raise redis.RedisError("a pipeline over a cluster is no transaction")
        return self._run(lambda cluster: _ReadPipeline(cluster, self._answering))

    def nodes(self) -> tuple[tuple[str, redis.Redis], ...]:
        """Return every node that the cluster names, primaries first, each with a client of its own.

        Raises:
            RedisError: no node says which there are.
        """
        return self._run(lambda cluster: _clients(cluster, [*cluster.get_primaries(), *cluster.get_replicas()]))

    def primaries(self) -> tuple[tuple[str, redis.Redis], ...]:
        """Return every node that takes writes, likewise."""
        return self._run(lambda cluster: _clients(cluster, cluster.get_primaries()))

    def close(self) -> None:
        """Let go of all connections; the next command opens them anew."""
        with self._opening:
            cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.close()

    def _run(self, work: Callable[[Any], _Done]) -> _Done:
        with self._answering():
            return work(self._opened())

    def _opened(self) -> RedisCluster:
        with self._opening:
            if self._cluster is None:
                self._cluster = RedisCluster(
                    startup_nodes=[_node(endpoint) for endpoint in self._endpoints],
                    require_full_coverage=False,  # shards whose slots are served go on while others wait
                    retry=Retry(NoBackoff(), 0),
                    **self._connection,
                )
            return self._cluster

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn what is no `RedisError` into one, and look at the cluster afresh, by the addresses given, next time."""
        try:
            yield
        except RedisClusterException as error:
            self._forget()
            raise RedisConnectionError(f"the cluster does not serve it: {error}") from error
        except _STALE as error:
            self._forget()
            raise RedisConnectionError("the cluster has changed; it is looked at afresh") from error

    def _forget(self) -> None:
        with self._opening:
            self._cluster = None


class _ReadPipeline(ClusterPipeline):
    """Commands that may be sent twice. One thread, one use."""

    def __init__(self, cluster: RedisCluster, answering: Callable[[], Any]) -> None:
        super().__init__(
            nodes_manager=cluster.nodes_manager,
            commands_parser=cluster.commands_parser,
            startup_nodes=list(cluster.nodes_manager.startup_nodes.values()),
            result_callbacks=cluster.result_callbacks,
            cluster_response_callbacks=cluster.cluster_response_callbacks,
            retry=cluster.retry,
        )
        self._answering = answering

    def execute_command(self, *args: object, **options: object) -> Any:  # noqa: ANN401 - as redis-py has it
        if args[0] not in _SAFE_TWICE:
            raise redis.RedisError(f"{args[0]} writes; redis-py sends again what fails in a pipeline of a cluster")
        queue: Callable[..., Any] = super().execute_command
        return queue(*args, **options)

    def pfcount(self, *sources: Any) -> Any:  # noqa: ANN401 - as redis-py has it, which blocks it for all, even of one slot
        """Queue the count of sketches, which must lie in one slot."""
        return self.execute_command("PFCOUNT", *sources)

    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - as redis-py has it
        with self._answering():
            return list(super().execute(raise_on_error))


def _node(endpoint: Endpoint) -> ClusterNode:
    make: Callable[[str, int], ClusterNode] = ClusterNode  # which has no types of its own
    return make(*endpoint)


def _clients(cluster: RedisCluster, nodes: Sequence[ClusterNode]) -> tuple[tuple[str, redis.Redis], ...]:
    return tuple((node.name, cluster.get_redis_connection(node)) for node in nodes)
