"""What the catalog's files in a data folder are called, for those who only look whether they are there."""

from typing import Final

COMPILED_NAME: Final = "catalog.snapshot"
"""The live revision, compiled."""
