"""What the documents say is so: settings are as the code has them, samples are taken, links lead somewhere."""

import re
from pathlib import Path
from typing import Final

import pytest
from sample import copy_sample

from adserver.catalog.build import build_catalog
from adserver.catalog.folder import read_folder
from adserver.config import SETTINGS
from adserver.config_setting import Setting
from adserver.places.gazetteer import Gazetteer

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text()
DOCUMENTS: Final = [
    "README.md",
    "CHANGELOG.md",
    *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
]


def test_every_setting_stands_in_the_documents_with_its_default_and_unit() -> None:
    rows = re.findall(r"^\| `(ADSERVER_\w+)` \|.*$", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    assert rows == [setting.name for setting in SETTINGS]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_is_documented_as_the_code_has_it(setting: Setting[object]) -> None:
    row = f"| `{setting.name}` | {setting.shown_default} | {setting.unit} | {setting.takes} | {setting.meaning} |"
    assert row in (ROOT / "docs/settings.md").read_text().splitlines()


def test_the_sponsor_of_the_readme_is_one_that_can_be_added(tmp_path: Path) -> None:
    copy_sample(tmp_path)
    [sample] = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    (tmp_path / "corner-bakery.yaml").write_text(sample)
    catalog = build_catalog(read_folder(tmp_path), Gazetteer.load())
    assert "corner-bakery" in {advertiser.id for advertiser in catalog.advertisers}
    assert sample.startswith("# yaml-language-server: $schema=../docs/campaign.schema.json\n")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_within_the_documents_lead_somewhere(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("target", re.findall(r"^ +make (\w+)", README, re.MULTILINE))
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"make {target} " in (ROOT / "Makefile").read_text()
