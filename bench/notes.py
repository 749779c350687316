"""What docs/performance.md says of how each figure was measured."""

from typing import Final

from bench import calm, counting, http_speed, load, memory

PREFACE: Final = """
# Performance

Written by `make bench`, which takes about five minutes and replaces this page. Figures of other machines or other runs
say nothing beside these; what may be compared stands in one table, measured in turns in one run.
"""

REQUESTS: Final = (
    f"wrk with {load.CONNECTIONS} connections and {http_speed.ASKED} different addresses in turn; medians of "
    f"{http_speed.ROUNDS} rounds of {http_speed.SECONDS} s, the four servers in turns, all with bodies of one "
    "size. The first two run under gunicorn's own gthread, with as many workers and threads. CPU is that of the "
    "workers, a request. Evenness is the work of the less busy worker, of the other's: all of a client's connections "
    f"may fall to one. A round below {http_speed.EVEN_ENOUGH} is run again, up to {http_speed.TRIES} times in all, "
    "and the most even counts."
)

DECISIONS: Final = (
    "Inside a process, without HTTP, signature and text. The first of its kind looks up the lists of its slot, "
    "place and topics. The keeper compiles, once a host; workers share its file, and each takes "
    "it up in the time of a swap."
)

COUNTING: Final = (
    f"{counting.EVENTS:,} events at once, medians of {counting.ROUNDS} rounds; from the spool on the disk to cells by "
    "hour, place and topic and to the readers of each day, each event once, goals kept. CPU is an event's."
)

HELD: Final = (
    f"{memory.SAMPLE}. Written as the keeper and its roll-up leave them, "
    "in a Valkey of their own; what the key and the list of a block's members take is in it. `make bench-year` states "
    "a year of 50 campaigns, 20 slots and 500 places the same way."
)

BESIDE: Final = (
    f"{calm.CLIENTS} clients with {calm.A_SECOND} calls a second each, about a twentieth of what the service answers "
    "where it is asked without end: there, whatever else takes processor time adds to every call. "
    f"{calm.BLOCKS} blocks of each kind in turns, of {calm.SECONDS:.0f} s; p50 and p99 are the median block's, and "
    "`moved` is the median of how much a block's p99 is above that of the quiet block just before it. "
    f"Backlog: {calm.BACKLOG_EVENTS:,} events in all, "
    "which the keeper counts without a pause; such a block lasts until it has. "
    f"Publishing: an upload each {calm.PUBLISH_SECONDS:.0f} s, which a worker checks and every worker then loads. "
    f"Flask hello is asked in the same moments, {calm.A_SECOND} times a second, under gunicorn's own workers, which "
    "share nothing with the service but the processors: what moves it is the kernel's sharing out of processors. "
    "Clients, both servers, keeper and Valkey all run on the one machine; the clients, which stand for others, not on "
    "the processor that keeper and Valkey keep to."
)
