"""The tag as it goes out, against its source; its types, checked by the tools that pages' developers use."""

import base64
import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from delivery_stand import Stand

from adserver.delivery.assets import load_script

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ROOT / "adserver/delivery/tag/slot.js"
TYPES: Final = ROOT / "integrations/typescript/sponsor-slot.d.ts"
TOOLS: Final = Path(sys.prefix) / "node_modules/.bin"
STRICT: Final = ("--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable")


def run(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool of `.venv/node_modules`, which `scripts/javascript` sets up."""
    return subprocess.run([TOOLS / tool, *arguments], capture_output=True, text=True, check=False, timeout=120)


def test_what_goes_out_is_what_its_source_makes() -> None:
    made = run("terser", SOURCE, "--config-file", ROOT / "scripts/terser.json")
    assert made.stderr == ""
    assert load_script().body.decode() == made.stdout, "run scripts/tag"


def test_the_documents_have_its_hash() -> None:
    hash_ = base64.b64encode(hashlib.sha384(load_script().body).digest()).decode()
    assert f'integrity="sha384-{hash_}"' in (ROOT / "docs/embedding.md").read_text(), "run scripts/tag"


def test_the_source_is_typed_and_formatted() -> None:
    checked = run("tsc", *STRICT, "--allowJs", "--checkJs", SOURCE)
    assert checked.stdout == ""
    files = [SOURCE, TYPES, ROOT / "package.json", *(ROOT / "integrations/wordpress").rglob("*.js")]
    assert run("prettier", "--check", *files).stderr == ""


GOOD: Final = """
const slot = document.createElement('sponsor-slot');
slot.addEventListener('filled', (event) => console.log(event.detail.advertiser.name, event.detail.variant === 'long'));
document.addEventListener('empty', (event) => console.log(event.detail.reason));
const attributes: SponsorSlotAttributes = { name: 'masthead', topic: 'sports', 'max-chars': 70 };
"""
WRONG: Final = (
    "document.querySelector('sponsor-slot')!.addEventListener('filled', (event) => event.detail.price);",
    "document.addEventListener('empty', (event) => event.detail.token);",
    "const attributes: SponsorSlotAttributes = { location: 'Remer,MN' };",
    "const attributes: SponsorSlotAttributes = { name: 'masthead', variant: 'tall' };",
)


@pytest.mark.parametrize(("code", "right"), [(GOOD, True), *((code, False) for code in WRONG)])
def test_the_types_tell_what_a_page_may_write(tmp_path: Path, code: str, right: bool) -> None:
    page = tmp_path / "page.ts"
    page.write_text(f"import type {{ SponsorSlotAttributes }} from './sponsor-slot';\n{code}")
    (tmp_path / TYPES.name).write_text(TYPES.read_text())
    checked = run("tsc", *STRICT, "--moduleResolution", "bundler", "--module", "esnext", page)
    assert (checked.returncode == 0) is right, checked.stdout


def test_the_types_name_what_a_decision_holds() -> None:
    answer = Stand().client().get("/v1/slots/masthead?location=Remer,MN").get_json()
    interface = re.search(r"interface SponsorDecision \{(.*?)\n\}", TYPES.read_text(), re.DOTALL)
    assert interface is not None
    assert re.findall(r"^  (\w+):", interface[1], re.MULTILINE) == list(answer)
