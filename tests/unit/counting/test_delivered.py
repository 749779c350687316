from pathlib import Path

import pytest

from adserver.counting.delivered import DELIVERED_NAME, DeliveredWatch, write_delivered
from adserver.domain.ids import FlightId


def test_a_worker_sees_what_the_keeper_wrote(tmp_path: Path) -> None:
    watch = DeliveredWatch(tmp_path)
    assert (watch.poll(), dict(watch.current())) == (False, {})

    write_delivered(tmp_path, {FlightId("minnesota"): 41})
    assert (watch.poll(), dict(watch.current())) == (True, {"minnesota": 41})
    assert watch.poll() is False

    write_delivered(tmp_path, {FlightId("minnesota"): 42})
    assert (watch.poll(), dict(watch.current())) == (True, {"minnesota": 42})


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"version": 2, "delivered": {}}', b'{"version": 1, "delivered": {"a": -0.5}}']
)
def test_a_file_that_cannot_be_read_leaves_what_was_known(tmp_path: Path, content: bytes) -> None:
    write_delivered(tmp_path, {FlightId("minnesota"): 41})
    watch = DeliveredWatch(tmp_path)
    watch.poll()
    (tmp_path / DELIVERED_NAME).write_bytes(content)

    assert (watch.poll(), dict(watch.current())) == (False, {"minnesota": 41})
