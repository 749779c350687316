"""Campaign sheets -> campaign files as they would be written, one an advertiser; every cell keeps its place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from adserver.catalog.faults import refusal
from adserver.catalog.positions import FieldPath, Point, Positions, SheetPlace
from adserver.catalog.reading import Parsed, RawValue
from adserver.catalog.sheet_cells import CellRefused, is_blank, read_cell
from adserver.catalog.sheet_columns import COLUMNS, ID_COLUMNS, Thing, column_of
from adserver.catalog.sheet_headings import Headings
from adserver.catalog.sheet_table import Table, TableRow
from adserver.catalog.texts import shown
from adserver.domain.errors import Fault

_WITHIN: Final[Mapping[Thing, str]] = {Thing.CREATIVE: "creatives", Thing.FLIGHT: "flights"}
"""The list of a campaign that holds a thing."""

_Fields = dict[str, RawValue]


@dataclass(frozen=True, slots=True)
class SheetFile:
    """What a sheet says of one advertiser. Immutable by agreement."""

    advertiser: str
    parsed: Parsed


def read_table(table: Table, file: str | None) -> tuple[SheetFile, ...]:
    """Return a campaign file for each advertiser of a sheet, in their order.

    A row is a flight, with the campaign, the advertiser and the creative that it belongs to. What was said of one of
    those in a row above may be left blank, or said again with the same words. A row without `flight_id` adds a
    creative.

    Raises:
        InputRefused: with every fault of the sheet itself: its columns, formulas, and rows that contradict each other.
    """
    headings = Headings(table, file)
    headings.refuse_any()
    reader = _RowReader(headings, table, file)
    for row in table.rows[1:]:
        reader.read(row)
    reader.refuse_any()
    return tuple(reader.files())


@dataclass(slots=True)
class _Told:
    """A thing as rows have told it so far. For one thread."""

    thing: Thing
    path: FieldPath
    row: int
    """Where it was told first."""
    fields: _Fields = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    """In which row each of its columns was told, where rows may tell of it again."""


@dataclass(slots=True)
class _Campaign:
    """A campaign as rows have told it so far. For one thread."""

    advertiser: str
    told: _Told
    creatives: dict[str, _Told] = field(default_factory=dict)


@dataclass(slots=True)
class _File:
    """An advertiser as rows have told it so far. For one thread."""

    told: _Told
    campaigns: list[RawValue] = field(default_factory=list)
    all: list[_Told] = field(default_factory=list)
    """The advertiser, and all that is its."""


class _RowReader:
    """Makes campaign files of rows. For one sheet and one thread."""

    def __init__(self, headings: Headings, table: Table, file: str | None) -> None:
        self._columns = headings.columns
        self._place = SheetPlace(file, table.sheet, column_of)
        self._numbers = {column.name: number for number, column in headings.columns.items()}
        self._files: dict[str, _File] = {}
        self._campaigns: dict[str, _Campaign] = {}
        self._flights: dict[str, int] = {}
        """Their rows."""
        self._faults: list[Fault] = []

    def files(self) -> Iterator[SheetFile]:
        """Yield what was read."""
        for advertiser, file in self._files.items():
            content: _Fields = {"advertiser": file.told.fields, "campaigns": file.campaigns}
            yield SheetFile(advertiser, Parsed(content, self._positions(file)))

    def refuse_any(self) -> None:
        """Refuse the sheet if a row says nothing that can be read.

        Raises:
            InputRefused: with every such fault.
        """
        if self._faults:
            raise refusal(self._faults)

    def read(self, row: TableRow) -> None:
        """Take one row."""
        things = self._things(row)
        ids = {thing: str(fields.get("id", "")) for thing, fields in things.items()}
        if not ids[Thing.CAMPAIGN]:
            self._fault(row.number, "campaign_id", "is missing; each row says which campaign it is of")
            return
        campaign = self._campaign(row.number, things, ids)
        if campaign is None:
            return
        is_said = [self._creative(row.number, campaign, things[Thing.CREATIVE], ids[Thing.CREATIVE])]
        is_said.append(self._flight(row.number, campaign, things[Thing.FLIGHT], ids[Thing.CREATIVE]))
        if not any(is_said) and campaign.told.row != row.number:
            self._fault(row.number, "flight_id", "is missing; a row adds a flight, or a creative")

    def _things(self, row: TableRow) -> dict[Thing, _Fields]:
        things: dict[Thing, _Fields] = {thing: {} for thing in Thing}
        values: dict[str, RawValue] = {}
        for number, value in enumerate(row.cells, 1):
            if is_blank(value):
                continue
            column = self._columns.get(number)
            if column is None:
                self._add("", row.number, number, "stands in a column without a heading")
                continue
            try:
                values[column.name] = read_cell(value, column.cell)
            except CellRefused as refused:
                self._fault(row.number, column.name, str(refused))
        for column in COLUMNS:  # the order of campaign files, whatever that of the sheet
            if column.name in values:
                _put(things[column.thing], column.path, values[column.name])
        return things

    def _campaign(self, row: int, things: Mapping[Thing, _Fields], ids: Mapping[Thing, str]) -> _Campaign | None:
        """Return the campaign of a row, told so far."""
        campaign = self._campaigns.get(ids[Thing.CAMPAIGN])
        advertiser = ids[Thing.ADVERTISER] or (campaign.advertiser if campaign else "")
        if not advertiser:
            self._fault(row, "advertiser_id", "is missing; the first row of each campaign says whose it is")
            return None
        file = self._files.get(advertiser)
        if file is None:
            file = self._files[advertiser] = _File(_Told(Thing.ADVERTISER, ("advertiser",), row))
            file.all.append(file.told)
        self._tell(file.told, things[Thing.ADVERTISER], row)
        if campaign is None:
            campaign = _Campaign(advertiser, _Told(Thing.CAMPAIGN, ("campaigns", len(file.campaigns)), row))
            self._campaigns[ids[Thing.CAMPAIGN]] = campaign
            file.campaigns.append(campaign.told.fields)
            file.all.append(campaign.told)
        elif campaign.advertiser != advertiser:
            other = f"advertiser {shown(campaign.advertiser)}'s in row {campaign.told.row}"
            self._fault(row, "advertiser_id", f"this campaign is {other}; write the same, or leave it blank here")
            return None
        self._tell(campaign.told, things[Thing.CAMPAIGN], row)
        return campaign

    def _creative(self, row: int, campaign: _Campaign, fields: _Fields, id_: str) -> bool:
        """Add what a row tells of a creative; return whether it names one."""
        if not id_:
            self._refuse_fields(row, Thing.CREATIVE, fields)
            return False
        told = campaign.creatives.get(id_)
        if told is None:
            told = campaign.creatives[id_] = self._new(row, campaign, Thing.CREATIVE)
        self._tell(told, fields, row)
        return True

    def _flight(self, row: int, campaign: _Campaign, fields: _Fields, creative: str) -> bool:
        """Add a row's flight; return whether it has one."""
        if "id" not in fields:
            self._refuse_fields(row, Thing.FLIGHT, fields)
            return False
        flight = str(fields["id"])
        if flight in self._flights:
            self._fault(row, "flight_id", f"stands already in row {self._flights[flight]}; each row is another flight")
            return True
        self._flights[flight] = row
        if creative and "creatives" not in fields:
            fields["creatives"] = [creative]
        self._new(row, campaign, Thing.FLIGHT).fields.update(fields)
        return True

    def _new(self, row: int, campaign: _Campaign, thing: Thing) -> _Told:
        """Return a new creative or flight of a campaign."""
        things = campaign.told.fields.setdefault(_WITHIN[thing], [])
        if not isinstance(things, list):
            raise TypeError(f"a campaign's {_WITHIN[thing]} are no list")
        told = _Told(thing, (*campaign.told.path, _WITHIN[thing], len(things)), row)
        things.append(told.fields)
        self._files[campaign.advertiser].all.append(told)
        return told

    def _refuse_fields(self, row: int, thing: Thing, fields: _Fields) -> None:
        if fields:
            self._fault(row, ID_COLUMNS[thing].name, f"is missing, but the row has other cells of a {thing}")

    def _tell(self, told: _Told, fields: _Fields, row: int) -> None:
        """Add what a row tells of a thing; what it tells again must be the same."""
        for column in COLUMNS:
            value = _get(fields, column.path) if column.thing is told.thing else None
            if value is None:
                continue
            before = _get(told.fields, column.path)
            if before is None:
                _put(told.fields, column.path, value)
                told.rows[column.name] = row
            elif before != value:
                message = f"is another than in row {told.rows.get(column.name)}; write the same, or leave it blank here"
                self._fault(row, column.name, message)

    def _positions(self, file: _File) -> Positions:
        @cache
        def index() -> dict[FieldPath, Point]:
            points: dict[FieldPath, Point] = {}
            for told in file.all:
                points[told.path] = Point(told.row, self._numbers[ID_COLUMNS[told.thing].name])
                for number, column in self._columns.items():
                    if column.thing is told.thing:
                        point = Point(told.rows.get(column.name, told.row), number)
                        for length in range(1, len(column.path) + 1):
                            points.setdefault((*told.path, *column.path[:length]), point)
            return points

        return Positions(index, self._place)

    def _fault(self, row: int, column: str, message: str) -> None:
        self._add(column, row, self._numbers.get(column, 1), message)

    def _add(self, path: str, row: int, column: int, message: str) -> None:
        self._faults.append(Fault(path, message, self._place.file, row, column, self._place.sheet))


def _put(fields: _Fields, path: FieldPath, value: RawValue) -> None:
    for step in path[:-1]:
        inner = fields.setdefault(str(step), {})
        if not isinstance(inner, dict):
            raise TypeError(f"two columns are {step}")
        fields = inner
    fields[str(path[-1])] = value


def _get(fields: _Fields, path: FieldPath) -> RawValue:
    value: RawValue = fields
    for step in path:
        value = value.get(str(step)) if isinstance(value, dict) else None
    return value
