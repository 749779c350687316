"""Workbooks: which sheet is read, what a reader of values would get wrong, and what would harm whoever reads them."""

import re
import resource
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO

import pytest
from sheets import csv_bytes, row, xlsx_bytes
from xlsxwriter.worksheet import Worksheet

from adserver.catalog.sheet_table import MAX_ROWS
from adserver.catalog.upload import Format, read_campaigns
from adserver.catalog.xlsx_inspection import MAX_PARTS, MAX_UNPACKED_BYTES, NO_WORKBOOK
from adserver.catalog.xlsx_reading import read_xlsx
from adserver.domain.errors import Fault, InputRefused, InputTooLarge, UnreadableInput

SHEET_PART = "xl/worksheets/sheet1.xml"


def faults(data: bytes, form: Format = Format.XLSX) -> list[Fault]:
    with pytest.raises(InputRefused) as caught:
        read_campaigns(data, form)
    return list(caught.value.faults)


def repacked(parts: Mapping[str, bytes | None], data: bytes | None = None) -> bytes:
    """Return a workbook with parts changed, added, or, where None, taken out."""
    stream = BytesIO()
    before = BytesIO(data or xlsx_bytes(row()))
    with zipfile.ZipFile(before) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            if content is not None:
                new.writestr(name, content)
    return stream.getvalue()


def part(name: str, data: bytes | None = None) -> bytes:
    with zipfile.ZipFile(BytesIO(data or xlsx_bytes(row()))) as book:
        return book.read(name)


class TestWhichSheet:
    def test_the_only_one_may_be_called_as_it_likes(self) -> None:
        assert read_campaigns(xlsx_bytes(row(), sheet="Spring"), Format.XLSX) == read_campaigns(
            csv_bytes(row()), Format.CSV
        )

    def test_of_several_the_one_called_campaigns_is_read(self) -> None:
        data = xlsx_bytes(row(), sheet="campaigns", others=("Notes", "Prices"))
        assert len(read_campaigns(data, Format.XLSX).campaign_files) == 1

    def test_several_without_that_name_are_refused_with_their_names(self) -> None:
        [fault] = faults(xlsx_bytes(row(), sheet="Spring", others=("Notes",)))
        assert fault.message == 'has several sheets; call the one to read Campaigns, there are "Notes", "Spring"'

    def test_one_that_holds_something_else_is_refused_with_its_name(self) -> None:
        [fault] = faults(
            xlsx_bytes(sheet="Prices", change=lambda sheet, names: sheet.write_row(0, 0, ["x"] * len(names)))
        )
        assert (fault.sheet, fault.line, fault.column) == ("Prices", 1, 1)
        assert fault.message.startswith("the first row must name the columns")

    def test_hidden_ones_do_not_count(self) -> None:
        data = xlsx_bytes(row(), sheet="Spring", others=("Notes",))
        hidden = part("xl/workbook.xml", data).replace(b'name="Notes"', b'name="Notes" state="hidden"')
        assert len(read_campaigns(repacked({"xl/workbook.xml": hidden}, data), Format.XLSX).campaign_files) == 1


class TestWhatWouldReadWrong:
    @pytest.mark.parametrize(
        ("change", "where", "message"),
        [
            (
                lambda sheet, names: sheet.write_formula(1, names.index("name"), '="The "&"Shop"', value="The Shop"),
                (2, 9),
                "holds a formula; put its value there instead (copy, then paste values only)",
            ),
            (
                lambda sheet, names: sheet.write_formula(2, names.index("name"), "=1/0", value="#DIV/0!"),
                (3, 9),
                "holds a formula; put its value there instead (copy, then paste values only)",
            ),
            (
                lambda sheet, names: sheet.merge_range(1, names.index("name"), 2, names.index("name"), "The Shop"),
                (2, 9),
                "is merged with cells beside it; unmerge them, and fill each row",
            ),
        ],
    )
    def test_is_refused_with_sheet_row_and_column(
        self, change: Callable[[Worksheet, list[str]], object], where: tuple[int, int], message: str
    ) -> None:
        [fault] = faults(xlsx_bytes(row("a"), row("b"), sheet="Spring", change=change))
        assert fault == Fault("", message, None, *where, "Spring")

    def test_an_error_without_a_formula_too(self) -> None:
        cell = re.sub(rb'<c r="I2" t="s"><v>\d+', b'<c r="I2" t="e"><v>#N/A', part(SHEET_PART))
        [fault] = faults(repacked({SHEET_PART: cell}))
        assert (fault.message, fault.line, fault.column) == ("holds an error; put a value there", 2, 9)

    def test_all_of_it_at_once(self) -> None:
        def change(sheet: Worksheet, names: list[str]) -> None:
            for index in range(len(names)):
                sheet.write_formula(1, index, "=A1", value="x")

        assert len(faults(xlsx_bytes(row(), change=change))) == len(row())


class TestHowMuch:
    @pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
    def test_a_hundred_thousand_rows_are_refused_with_the_row_from_which_they_are_too_many(self, form: Format) -> None:
        if form is Format.CSV:
            data = csv_bytes(row()) + b"x\n" * 100_000
        else:
            data = xlsx_bytes(change=lambda sheet, _: [sheet.write(number, 0, 1) for number in range(1, 100_001)])
        [fault] = faults(data, form)
        assert fault.line == MAX_ROWS + 1
        assert fault.message == "has more than 20,000 rows; split it into several files"

    def test_a_cell_in_the_last_corner_is_refused_and_takes_no_memory(self) -> None:
        data = xlsx_bytes(row(), change=lambda sheet, _: sheet.write(1_048_575, 16_383, "x"))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert [fault.line for fault in faults(data)] == [MAX_ROWS + 1]
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000

    def test_cells_that_are_only_coloured_do_not_count(self) -> None:
        blank = part(SHEET_PART).replace(b"</sheetData>", b'<row r="900000"><c r="XFD900000" s="1"/></row></sheetData>')
        assert len(read_campaigns(repacked({SHEET_PART: blank}), Format.XLSX).campaign_files) == 1

    def test_more_columns_than_anybody_has_are_refused(self) -> None:
        [fault] = faults(xlsx_bytes(row(), change=lambda sheet, _: sheet.write(1, 200, "x")))
        assert (fault.line, fault.column, fault.message) == (2, 201, "has more than 200 columns")

    def test_one_that_unpacks_to_more_than_it_says_is_never_unpacked_whole(self) -> None:
        with pytest.raises(InputTooLarge):
            read_xlsx(repacked({"xl/media/big.xml": bytes(MAX_UNPACKED_BYTES + 1)}))

    def test_one_that_hides_how_much_it_unpacks_to_is_not_read(self) -> None:
        data = repacked({SHEET_PART: part(SHEET_PART) + b" " * 1_000_000})
        size = (len(part(SHEET_PART)) + 1_000_000).to_bytes(4, "little")
        with pytest.raises(UnreadableInput):
            read_xlsx(data.replace(size, (10).to_bytes(4, "little")))


class TestWhatIsNoWorkbook:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"PK\x03\x04",
            xlsx_bytes(row())[:2000],
            repacked({"xl/workbook.xml": None}),
            repacked({"xl/workbook.xml": b"<workbook"}),
            repacked({"xl/workbook.xml": b""}),
            repacked({SHEET_PART: b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet>&a;</worksheet>'}),
            repacked({SHEET_PART: b'<?xml version="1.0" encoding="x-none"?><worksheet/>'}),
            repacked({"xl/Worksheets/sheet1.xml": b"<worksheet/>"}),
            repacked({f"xl/{number}.xml": b"" for number in range(MAX_PARTS)}),
        ],
        ids=[
            "empty", "only its first bytes", "cut short", "without sheets", "broken", "an empty part",
            "entities", "an unknown encoding", "two names that are alike", "too many parts",
        ],
    )  # fmt: skip
    def test_is_said_so(self, data: bytes) -> None:
        with pytest.raises(UnreadableInput) as caught:
            read_xlsx(data)
        assert str(caught.value) == NO_WORKBOOK or "parts" in str(caught.value)

    def test_a_password_is_said(self) -> None:
        data = bytearray(xlsx_bytes(row()))
        for start in (b"PK\x03\x04", b"PK\x01\x02"):
            at = -1
            while (at := data.find(start, at + 1)) >= 0:
                data[at + (6 if start == b"PK\x03\x04" else 8)] |= 1
        with pytest.raises(UnreadableInput, match="password"):
            read_xlsx(bytes(data))


class TestWhatIsNoCsv:
    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b'advertiser_id\n"open', "this is not CSV"),
            (b'advertiser_id\n"a"b', "this is not CSV"),
            (b"advertiser_id\n\xff", "is no UTF-8"),
            ("advertiser_id\n".encode("utf-16"), "UTF-16"),
        ],
    )
    def test_is_said_with_its_line(self, data: bytes, message: str) -> None:
        with pytest.raises(UnreadableInput, match=message):
            read_campaigns(data, Format.CSV)

    def test_a_field_of_a_megabyte_is_no_harm(self) -> None:
        with pytest.raises((InputRefused, UnreadableInput)):
            read_campaigns(csv_bytes(row(long="x" * 1_000_000)), Format.CSV)
