"""Secret keys rotate without losing a live token: by the setting and a restart, by the file and SIGHUP."""

import json
import os
import signal
from pathlib import Path

from service import READER, Service, running_service

DONE = "\nreloaded\n"
KEYS = ("11" * 32, "22" * 32, "33" * 32)


def restart(service: Service, *keys: str) -> None:
    """Start the service anew with other keys, as an operator does."""
    assert service.stop() == 0
    service.environ["ADSERVER_SECRET_KEYS"] = ",".join(keys)
    service.start()


def see(service: Service, token: str) -> None:
    status, _, _ = service.call(f"/v1/seen/{token}.gif", headers=READER)
    assert status == 200


def signature(service: Service) -> int:
    """Return how many events no live key had signed."""
    query = {"metrics": ["invalid"], "dimensions": ["reason"], "date_range": "7d"}
    status, _, body = service.call("/v1/query", body=query, headers=service.admin())
    assert status == 200, body
    return sum(row["metrics"][0] for row in json.loads(body)["results"] if row["dimensions"] == ["signature"])


def test_a_token_counts_as_long_as_its_key_is_live_and_hosts_take_up_a_new_one_one_after_the_other(
    tmp_path: Path,
) -> None:
    """The new key is first put last: read everywhere before anybody signs with it."""
    old, new, _ = KEYS
    with running_service(tmp_path, ADSERVER_WORKERS="1", ADSERVER_SECRET_KEYS=f"{old},{new}") as service:
        of_old = [service.decide()["token"] for _ in range(3)]
        see(service, of_old[0])
        service.await_counts(impressions=1)

        restart(service, new, old)
        see(service, of_old[1])
        of_new = [service.decide()["token"] for _ in range(2)]
        see(service, of_new[0])
        service.await_counts(impressions=3, invalid=0)

        restart(service, old, new)  # a host that is behind
        see(service, of_new[1])
        service.await_counts(impressions=4, invalid=0)

        restart(service, new)
        see(service, of_old[2])
        see(service, service.decide()["token"])
        service.await_counts(impressions=5, invalid=1)
        assert signature(service) == 1
        status, headers, _ = service.call(f"/go/{of_old[2]}", headers=READER)
        assert (status, headers["Location"]) == (302, "https://americaone.example/")
        see(service, of_new[0])
        service.await_counts(impressions=5, invalid=3)
        assert signature(service) == 2, "the last is a duplicate: its key is live"


def test_the_file_of_keys_is_read_anew_at_a_reload(tmp_path: Path) -> None:
    with running_service(tmp_path, ADSERVER_WORKERS="1") as service:
        path = service.data_dir / "secret-keys"
        tokens = [service.decide()["token"] for _ in range(2)]
        reload_with(service, f"{KEYS[2]}\n{path.read_text()}")
        see(service, tokens[0])
        see(service, service.decide()["token"])
        service.await_counts(impressions=2, invalid=0)

        reload_with(service, f"{KEYS[2]}\n")
        see(service, tokens[1])
        see(service, service.decide()["token"])
        service.await_counts(impressions=3, invalid=1)


def reload_with(service: Service, keys: str) -> None:
    """Write the file of keys and have it read."""
    said = service.said().count(DONE)
    (service.data_dir / "secret-keys").write_text(keys)
    os.kill(service.pid, signal.SIGHUP)
    try:
        service.await_that(lambda: service.said().count(DONE) > said)
    except TimeoutError:
        raise AssertionError(service.said()) from None
