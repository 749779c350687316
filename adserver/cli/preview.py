"""`adserver preview`: a campaign as readers will see it, in every slot and at every width."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.delivery.preview import (
    COLUMN_PX,
    WIDTHS,
    CreativePreview,
    SlotPreview,
    preview_campaign,
    readable_link,
    shown_at,
)
from adserver.delivery.preview_page import render_preview_page
from adserver.domain.places import Place
from adserver.domain.variants import LENGTHS
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.previewing import campaigns_of_file, live_campaign

_FILE: Final = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command("preview")
@click.argument("what", metavar="CAMPAIGN|FILE")
@click.option("--location", metavar="PLACE", help="The place of the page: rules may ask for disclosures there.")
@click.option("--html", "html", type=_FILE, metavar="FILE", help="Write it as a page that needs nothing else.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def preview_command(what: str, location: str | None, html: Path | None, *, as_json: bool) -> None:
    """Show what readers will see of a live campaign, or of a campaign file before it is published.

    A file is shown over the slots and rules beside it; where there are none, over the live ones. Nothing is counted.
    """
    with refusing(as_json=as_json):
        settings = Settings.from_environ(os.environ)
        file = Path(what)
        with reaching_store(settings):
            is_file = file.is_file()
            catalog, campaigns = campaigns_of_file(settings, file) if is_file else live_campaign(settings, what)
        place = _place(location)
        previews = [one for campaign in campaigns for one in preview_campaign(catalog, campaign, place)]
    if html is not None:
        html.write_text(render_preview_page(previews), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({"creatives": [_to_json(one) for one in previews]}, ensure_ascii=False))
    elif html is not None:
        click.echo(f"wrote {html}")
    else:
        _print(Console(), previews)


def _place(location: str | None) -> Place | None:
    if location is None:
        return None
    place = Gazetteer.load().resolve(location)
    if place is None:
        raise click.BadParameter("is no place that is known; write it as Remer,MN", param_hint="--location")
    return place


def _print(console: Console, previews: Sequence[CreativePreview]) -> None:
    for one in previews:
        creative = one.creative
        console.print(Text(f"{creative.id} of {one.campaign.id}, by {one.advertiser.name}", style="bold"))
        for variant in LENGTHS:
            text = creative.variants.get(variant)
            if text is not None:
                console.print(Text(f"  {variant.value:<5} {text.graphemes:>4}  {text.value}"))
        readable = readable_link(creative.click_url)
        also = f"  ({readable})" if readable != creative.click_url else ""
        console.print(Text(f"  leads to {creative.click_url}{also}"))
        if one.objection is not None:
            console.print(Text(f"  nothing of it shows at this place: {one.objection}", style="yellow"))
        console.print(_table(one.slots))


def _table(slots: Sequence[SlotPreview]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("SLOT", no_wrap=True)
    table.add_column("MAX", justify="right")
    for width in WIDTHS:
        table.add_column(f"{width} px")
    table.add_column("LEFT OUT, DISCLOSURES", overflow="fold")
    for one in slots:
        shown = [str(length) for length in _lengths(one).values()]
        notes = [f"{cut.variant.value}: {cut.why}" for cut in one.left_out]
        notes += [f"never shows: {one.reason.value}"] if one.reason is not None else []
        notes += [f"with: {line}" for line in one.fill.disclosures] if one.fill is not None else []
        table.add_row(*map(Text, (one.slot.id, str(one.slot.max_chars), *shown, "\n".join(notes))))
    return table


def _lengths(one: SlotPreview) -> dict[str, str]:
    """Return the length that each width shows, `-` where nothing shows."""
    return {
        str(width): shown_at(one.fill, width // COLUMN_PX).value if one.fill is not None else "-" for width in WIDTHS
    }


def _to_json(one: CreativePreview) -> dict[str, object]:
    creative = one.creative
    return {
        "campaign": one.campaign.id,
        "creative": creative.id,
        "click_url": creative.click_url,
        "readable_url": readable_link(creative.click_url),
        "objection": one.objection,
        "variants": {
            variant.value: text.value if (text := creative.variants.get(variant)) is not None else None
            for variant in LENGTHS
        },
        "slots": [
            {
                "slot": slot.slot.id,
                "max_chars": slot.slot.max_chars,
                "reason": slot.reason.value if slot.reason is not None else None,
                "widths": {width: length if length != "-" else None for width, length in _lengths(slot).items()},
                "left_out": {cut.variant.value: cut.why for cut in slot.left_out},
                "disclosures": list(slot.fill.disclosures) if slot.fill is not None else [],
            }
            for slot in one.slots
        ],
    }
