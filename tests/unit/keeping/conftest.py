"""A host whose spools are counted into an empty Redis."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from audit_stand import AuditStand


@pytest.fixture
def stand(valkey: redis.Redis, tmp_path: Path) -> Iterator[AuditStand]:
    stand = AuditStand(valkey, tmp_path / "host", int(time.time()), random.Random(7))
    yield stand
    stand.close()
