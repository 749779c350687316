"""The sample publisher, by the names of its files: what else lies in `campaigns/` is somebody's own."""

from pathlib import Path
from typing import Final

SAMPLE: Final = Path(__file__).resolve().parents[2] / "campaigns"
CAMPAIGN_FILES: Final = (
    "frenchman-bay-ferry.yaml",
    "hill-country-tourism.yaml",
    "house.yaml",
    "lindqvist-hardware.yaml",
    "prairie-savings.yaml",
    "qwiket.yaml",
    "red-river-clinic.yaml",
    "three-rivers-sportsbook.yaml",
)


def copy_sample(folder: Path) -> Path:
    """Copy the sample's campaign files, slots and rules into a folder, made where it is missing; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*CAMPAIGN_FILES, "slots.yaml", "rules.yaml"):
        (folder / name).write_bytes((SAMPLE / name).read_bytes())
    return folder
