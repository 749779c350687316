"""SIGTERM under load: what was answered is in the counts when the service is gone, within ten seconds."""

import json
import time
from pathlib import Path

from load import Load
from service import is_running, running_service


def test_a_stop_under_load_takes_less_than_ten_seconds_and_leaves_no_event_uncounted(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        load = Load(service, threads=6)
        load.start()
        try:
            load.await_answers(150)
            family = [service.pid, *service.pids()]
            asked = time.monotonic()
            assert service.stop() == 0
            seconds = time.monotonic() - asked
        finally:
            load.stop()
        print(f"stopped in {seconds:.1f} s; answered {load.answered} beacons, {load.decided} decisions")

        assert seconds < 10
        assert [pid for pid in family if is_running(pid)] == []
        assert load.statuses == {200}
        keeper = json.loads((service.data_dir / "keeper.json").read_text())
        assert (keeper["redis"], keeper["backlog_bytes"]) == (True, 0)

        service.start()
        totals = service.totals()  # at once: nothing was left to be brought in by this start
        lost_answers = len(load.failures)  # calls that the stop cut off may have been decided or written all the same
        assert load.answered <= totals["impressions"] <= load.sent
        assert load.decided <= totals["decisions"] <= load.decided + lost_answers
        assert totals["invalid"] == 0
