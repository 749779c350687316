"""A process that takes uploads into a store in memory; with `ends` or `hangs`, it fails when one is to be published."""

import os
import signal
import sys

from catalog_bench import Bench

from adserver.catalog.publish import Publisher
from adserver.processes.upload_frames import Go, Order, Pipes
from adserver.processes.upload_process import serve_uploads


class Failing(Pipes):
    """Ends or hangs once it is told to publish."""

    def receive_order(self) -> Order:
        order = super().receive_order()
        if isinstance(order, Go) and "ends" in sys.argv:
            os._exit(1)
        if isinstance(order, Go) and "hangs" in sys.argv:
            signal.pause()
        return order


def publisher() -> Publisher:
    bench = Bench()
    bench.publish_slots()
    return bench.publisher


if __name__ == "__main__":
    serve_uploads(Failing(sys.stdin.fileno(), sys.stdout.fileno()), publisher())
