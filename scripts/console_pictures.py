"""Take pictures of the console's pages: python scripts/console_pictures.py FOLDER [--all].

Needs Chromium and the tests' Python packages. Without --all, the pictures that docs/console.md shows: each page at 1280
pixels in light, and some at 375 in dark. With it, every page at both widths and in both colours, to look at.
"""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from browser_stand import chromium, serving_app  # noqa: E402 - found by the path above
from console_stand import ADMIN, ConsoleStand  # noqa: E402
from playwright.sync_api import Browser  # noqa: E402

PAGES: Final = {
    "overview": "",
    "campaigns": "campaigns",
    "campaign": "campaigns/big-fork-winter",
    "pause": "campaigns/big-fork-winter/pause",
    "schedule": "schedule",
    "statistics": "statistics?metrics=impressions&metrics=clicks&metrics=ctr&by=time:day&range=30d",
    "statistics-campaigns": "statistics?metrics=impressions&metrics=clicks&metrics=ctr&by=campaign&range=30d",
    "explain": "explain?slot=masthead&location=Ames,+IA&topic=agriculture",
}
"""Each picture's name, and its page under `/console/`."""
KEPT_SMALL: Final = ("overview", "campaigns", "schedule")
QUALITY: Final = 62
HEIGHTS: Final = {1280: 900, 375: 780}


def main() -> None:
    """Take them."""
    folder, is_all = Path(sys.argv[1]), "--all" in sys.argv
    folder.mkdir(parents=True, exist_ok=True)
    stand = ConsoleStand()
    stand.count_weeks()
    with serving_app(stand.app) as base, chromium() as browser:
        for width in HEIGHTS:
            for scheme in ("light", "dark"):
                is_kept = (width, scheme) in ((1280, "light"), (375, "dark"))
                if is_all or is_kept:
                    names = PAGES if is_all or width > 375 else KEPT_SMALL
                    _take(browser, base, folder, width, scheme, tuple(names), is_whole=is_all)


def _take(
    browser: Browser, base: str, folder: Path, width: int, scheme: str, names: tuple[str, ...], *, is_whole: bool
) -> None:
    viewport = {"width": width, "height": HEIGHTS[width]}
    context = browser.new_context(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]  # as they are named
    page = context.new_page()
    page.goto(f"{base}/console/")
    page.get_by_label("Token").fill(ADMIN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/console/")
    for name in names:
        page.goto(f"{base}/console/{PAGES[name]}")
        path = folder / f"console-{name}-{width}{'-dark' if scheme == 'dark' else ''}.{'png' if is_whole else 'jpg'}"
        if is_whole:
            page.screenshot(path=path, full_page=True)
        else:
            page.screenshot(path=path, type="jpeg", quality=QUALITY)
        wide = page.evaluate("document.documentElement.scrollWidth")
        print(f"{path.name}  {path.stat().st_size // 1024} kB  {'' if wide <= width else f'TOO WIDE: {wide}'}")
    context.close()


main()
