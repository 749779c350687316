"""Under what the unit in `deploy/` forbids, the whole service answers, takes uploads, counts, reloads and stops."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import sandbox
from catalog_bench import campaign, campaign_file
from service import Service

UPLOAD = campaign_file(campaign("rolls"), advertiser="bakery")
PYTHON = (sys.executable, sandbox.__file__, sys.executable)


class HeldService(Service):
    """The service with system calls and memory held as the unit holds them."""

    python = PYTHON


def test_the_calls_are_refused_there() -> None:
    command = (*PYTHON, "-c", "import os; os.nice(1)")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "PermissionError" in done.stderr


def test_the_service_does_all_its_work_there(tmp_path: Path) -> None:
    service = HeldService(tmp_path)
    try:
        service.start()
        token = service.decide()["token"]
        assert service.call(f"/v1/seen/{token}.gif")[0] == 200
        service.await_counts(impressions=1)

        status, _, body = service.call("/v1/campaigns?dry_run=true", body=UPLOAD, headers=service.admin())
        assert (status, json.loads(body)["plan"]["add"]) == (200, ["advertisers.bakery", "campaigns.rolls"])

        os.kill(service.pid, signal.SIGHUP)
        service.await_that(lambda: "\nreloaded\n" in service.said())
        service.decide()
        service.await_counts(fills=2)
        assert service.stop() == 0
        assert "times in a row" not in service.said()
    finally:
        service.end()
