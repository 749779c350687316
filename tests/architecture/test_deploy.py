"""How the service is put on a machine: image, compose file and unit are whole, and give away no right."""

import re
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from adserver.config import SETTINGS

ROOT: Final = Path(__file__).parents[2]
NAMES: Final = {setting.name for setting in SETTINGS}
CHECKS: Final = ("compose.yaml", "Dockerfile", "deploy/adserver.service")


def compose() -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load((ROOT / "compose.yaml").read_text())
    return document


def dockerfile() -> list[str]:
    """Return the instructions of the Dockerfile, each on one line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]


def unit() -> RawConfigParser:
    parser = RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parser.read_string((ROOT / "deploy/adserver.service").read_text())
    return parser


@pytest.mark.parametrize("service", ["adserver", "valkey"])
def test_a_container_is_no_root_writes_nothing_but_its_volumes_and_gains_no_right(service: str) -> None:
    container = compose()["services"][service]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in container
    assert "cap_add" not in container
    assert [mount.partition(":")[0] for mount in container["tmpfs"]] == ["/tmp"]  # noqa: S108 - the container's
    assert container["healthcheck"]["test"][0] == "CMD"
    assert container["init"] is True
    assert container["restart"] == "unless-stopped"


def test_no_container_is_root() -> None:
    assert compose()["services"]["valkey"]["user"].partition(":")[0].isdigit()
    [user] = [line for line in dockerfile() if line.startswith("USER ")]
    assert user.partition(" ")[2].isdigit()
    assert user != "USER 0"
    assert "user" not in compose()["services"]["adserver"]  # the image's


def test_the_store_is_reached_by_the_service_alone_and_forgets_nothing() -> None:
    document = compose()
    valkey = document["services"]["valkey"]
    assert "ports" not in valkey
    assert valkey["networks"] == ["back"]
    assert document["networks"]["back"] == {"internal": True}
    options = dict(zip(valkey["command"][1::2], valkey["command"][2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--appendfsync"] == "everysec"


def test_the_service_waits_for_a_healthy_store_and_is_published_on_loopback_only() -> None:
    service = compose()["services"]["adserver"]
    assert service["depends_on"] == {"valkey": {"condition": "service_healthy"}}
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "/readyz" in service["healthcheck"]["test"][-1]


def test_what_must_outlive_a_container_is_on_a_volume() -> None:
    document = compose()
    volumes = {
        mount.partition(":")[2]: mount.partition(":")[0]
        for service in document["services"].values()
        for mount in service["volumes"]
    }
    assert volumes["/var/lib/adserver"] in document["volumes"]
    assert volumes["/data"] in document["volumes"]
    [environment] = [line for line in dockerfile() if line.startswith("ENV ")]
    assert "ADSERVER_DATA_DIR=/var/lib/adserver" in environment


def test_a_remote_store_has_its_keys_from_the_operator() -> None:
    environment = compose()["services"]["adserver"]["environment"]
    assert environment["ADSERVER_REDIS_URL"].startswith("redis://valkey:")
    assert environment["ADSERVER_SECRET_KEYS"].startswith("${ADSERVER_SECRET_KEYS:?")  # compose stops without


@pytest.mark.parametrize("file", CHECKS)
def test_each_setting_that_is_named_exists(file: str) -> None:
    named = set(re.findall(r"\bADSERVER_[A-Z_]+\b", (ROOT / file).read_text())) - {"ADSERVER_PORT"}
    assert named <= NAMES
    assert named


def test_a_stop_has_the_time_that_a_drain_takes() -> None:
    assert int(compose()["services"]["adserver"]["stop_grace_period"].removesuffix("s")) > 10
    assert int(unit()["Service"]["TimeoutStopSec"]) > 10


def test_the_image_is_built_in_two_stages_and_keeps_no_tool_of_the_first() -> None:
    lines = dockerfile()
    assert [line.split()[0] for line in lines].count("FROM") == 2
    final = lines[len(lines) - 1 - [line.split()[0] for line in lines][::-1].index("FROM") :]
    assert [line for line in final if "pip install" in line] == []
    assert [line for line in final if line.startswith("COPY --from=build")] == [
        "COPY --from=build /opt/adserver /opt/adserver"
    ]
    [health] = [line for line in final if line.startswith("HEALTHCHECK ")]
    assert "/readyz" in health


def test_the_dockerfile_is_clean() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_the_image_is_built_from_is_let_in() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source
        for line in dockerfile()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    assert copied == let_in


@pytest.mark.parametrize(
    "line",
    [
        "User=adserver", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes",
        "PrivateDevices=yes", "CapabilityBoundingSet=", "RestrictNamespaces=yes", "MemoryDenyWriteExecute=yes",
        "StateDirectory=adserver", "KillMode=mixed", "ExecReload=/bin/kill -HUP $MAINPID", "Restart=always",
    ],
)  # fmt: skip
def test_the_unit_has_one_writable_place_and_no_right_it_does_not_need(line: str) -> None:
    name, _, value = line.partition("=")
    assert unit()["Service"][name] == value
