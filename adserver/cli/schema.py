"""`adserver schema`: the JSON Schema of the files, for editors."""

import json
from collections.abc import Callable, Mapping
from typing import Final

import click

from adserver.catalog.documents import JsonObject
from adserver.catalog.json_schema import campaign_file_json_schema, rules_file_json_schema, slots_file_json_schema

_SCHEMAS: Final[Mapping[str, Callable[[], JsonObject]]] = {
    "campaigns": campaign_file_json_schema,
    "slots": slots_file_json_schema,
    "rules": rules_file_json_schema,
}


@click.command("schema")
@click.argument("file", type=click.Choice(tuple(_SCHEMAS)), default="campaigns")
@click.option("--json", "as_json", is_flag=True, help="For machines: the same, in one line.")
def schema_command(file: str, *, as_json: bool) -> None:
    """Print the JSON Schema of campaign files, slots.yaml or rules.yaml, by which editors complete and check them.

    FILE is campaigns, where it is left out, slots, or rules.
    """
    click.echo(json.dumps(_SCHEMAS[file](), indent=None if as_json else 2, ensure_ascii=False))
