"""axe-core's rules of accessibility, as a script for a page."""

import sys
from pathlib import Path
from typing import Final

MODULES: Final = Path(sys.prefix) / "node_modules"
AXE: Final = (MODULES / "axe-core/axe.min.js").read_text()
