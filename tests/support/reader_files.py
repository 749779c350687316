"""Files that tell where addresses are, in MaxMind's format, made for a test."""

from collections.abc import Mapping
from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

Record = Mapping[str, object]

HERE = "203.0.113.9"
"""An address of Remer in `make_file`."""


def record(country: str = "US", state: str = "", town: str = "", postal: str = "") -> Record:
    """Return what such a file says of a network, as GeoLite2 City has it."""
    parts: dict[str, object] = {"country": {"iso_code": country, "names": {"en": "…"}}}
    if state:
        parts["subdivisions"] = [{"iso_code": state, "names": {"en": "…"}}]
    if town:
        parts["city"] = {"names": {"de": "…", "en": town}}
    if postal:
        parts["postal"] = {"code": postal}
    return parts


REMER = record(state="MN", town="Remer", postal="56672")


def make_file(path: Path, records: Mapping[str, Record] | None = None) -> Path:
    """Write a file that knows these networks; by default that of `HERE`."""
    writer = MMDBWriter(6, "GeoLite2-City", languages=["en"], ipv4_compatible=True)
    for network, found in (records or {"203.0.113.0/24": REMER}).items():
        writer.insert_network(IPSet([network]), dict(found))
    writer.to_db_file(str(path))
    return path
