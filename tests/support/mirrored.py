"""A publisher with one campaign, and what a host's folder says of it once it is mirrored there."""

from datetime import datetime
from pathlib import Path

from catalog_bench import Bench, campaign, campaign_file

from adserver.catalog.compiled import Compiled, read_compiled
from adserver.catalog.file_names import COMPILED_NAME


def bench() -> Bench:
    """Return a publisher whose campaign `spring` is live."""
    made = Bench()
    made.push(campaign_file(campaign("spring")))
    return made


def compiled(folder: Path) -> Compiled:
    """Return what the folder's workers serve."""
    return read_compiled(folder / COMPILED_NAME)


def campaign_ids(folder: Path) -> list[str]:
    """Return the ids of the campaigns that are served."""
    return sorted(one.id for one in compiled(folder).catalog.campaigns)


def retired(folder: Path) -> dict[str, datetime]:
    """Return until when links of creatives that were taken away are known."""
    return {one.creative.id: one.until for one in compiled(folder).retired}
