import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from connectors import files
from connectors.connector import RawTable
from connectors.files import read_table, refuse_credentials
from governance.schema import ExtractError

Write = Callable[..., RawTable]


@pytest.fixture
def read(tmp_path: Path) -> Write:
    """Write a file and read it back as a table."""

    def write(
        content: str | bytes, name: str = "roster.csv", **how: object
    ) -> RawTable:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, name="roster", **how)  # type: ignore[arg-type]

    return write


def rows(raw: RawTable) -> list[dict[str, object]]:
    return raw.rows.to_dicts()


def workbook(
    *lines: Sequence[object], sheet: str = "花名册", first_row: int = 0
) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        page = book.add_worksheet(sheet)
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, line in enumerate(lines, first_row):
            for column, value in enumerate(line):
                if isinstance(value, date):
                    page.write_datetime(number, column, value, day)
                elif isinstance(value, str):
                    page.write_string(number, column, value)
                else:
                    page.write(number, column, value)
    return buffer.getvalue()


def text_cell(address: str, text: str) -> str:
    return f'<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>'


def handmade_workbook(cells: str, *, parts: dict[str, bytes] | None = None) -> bytes:
    """Return a workbook whose one sheet holds exactly this XML."""
    kinds = "http://schemas.openxmlformats.org/package/2006/"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    content = {
        "[Content_Types].xml": f'<Types xmlns="{kinds}content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package'
        '.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" '
        f'ContentType="{types}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{kinds}relationships"><Relationship '
        f'Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="s" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{kinds}relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}'
        "</sheetData></worksheet>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
        for name, extra in (parts or {}).items():
            archive.writestr(name, extra)
    return buffer.getvalue()


# Text


def test_ids_stay_text_with_their_leading_zeros(read: Write) -> None:
    raw = read("工号,电话\n00123,13800000000\n1001.0,\n")
    assert rows(raw) == [
        {"工号": "00123", "电话": "13800000000"},
        {"工号": "1001.0", "电话": None},
    ]
    assert raw.first_row == 2
    assert raw.numbered()["source_row"].to_list() == [2, 3]


def test_the_digest_is_that_of_the_bytes_on_disk(read: Write) -> None:
    content = "工号\n1\n".encode("gb18030")
    assert read(content).sha256 == sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
def test_the_encoding_is_found_without_guessing_and_said(
    read: Write, encoding: str, said: str
) -> None:
    raw = read("工号,姓名\n1,王伟𠮷\n".encode(encoding))
    assert rows(raw) == [{"工号": "1", "姓名": "王伟𠮷"}]
    assert raw.encoding == said


def test_a_named_encoding_overrides_the_rule(read: Write) -> None:
    content = "id,name\n1,café\n".encode("latin-1")
    assert rows(read(content, encoding="latin-1")) == [{"id": "1", "name": "café"}]


def test_a_byte_order_mark_is_never_part_of_the_first_header(read: Write) -> None:
    raw = read("工号\n1\n".encode("utf-8-sig"), encoding="utf-8")
    assert raw.rows.columns == ["工号"]


def test_bytes_in_no_known_encoding_are_refused_with_their_offset(read: Write) -> None:
    with pytest.raises(ExtractError, match=r"roster.csv: .*byte 8 .*gb18030 at byte 8"):
        read(b"id,name\n\xff\xff,1\n")


def test_a_wrong_named_encoding_is_refused_with_the_offset(read: Write) -> None:
    with pytest.raises(ExtractError, match="not utf-8 at byte 3"):
        read("id,姓名\n".encode("gb18030"), encoding="utf-8")


def test_an_encoding_that_does_not_exist_is_named(read: Write) -> None:
    with pytest.raises(ExtractError, match="no encoding 'gbk18030'"):
        read("id\n1\n", encoding="gbk18030")


def test_a_binary_file_is_not_read_as_text(read: Write) -> None:
    with pytest.raises(ExtractError, match="not a text file"):
        read(b"id,name\n1,\x00\n")


@pytest.mark.parametrize("content", [b"", b"\n \r\n"])
def test_an_empty_file_is_refused(read: Write, content: bytes) -> None:
    with pytest.raises(ExtractError, match=r"roster.csv: is empty; export it again"):
        read(content)


def test_a_header_without_rows_is_a_table_without_rows(read: Write) -> None:
    raw = read("工号,姓名\n")
    assert raw.rows.columns == ["工号", "姓名"]
    assert raw.rows.height == 0


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match=r"hr/a.csv: no such file; put the export"):
        read_table(tmp_path / "a.csv", name="a", file="hr/a.csv")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(ExtractError, match=r"a.csv: cannot be read"):
        read_table(tmp_path / "a.csv", name="a")


def test_an_unknown_suffix_is_refused(read: Write) -> None:
    with pytest.raises(
        ExtractError, match=r"type '.xls' cannot be read; save it as CSV"
    ):
        read("x", "roster.xls")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("2,b", "row 3 has 2 fields where the header has 3"),
        ("2,b,c,d", "row 3 has 4 fields where the header has 3"),
        ("2", "row 3 has 1 fields"),
    ],
)
def test_ragged_rows_are_refused_by_number(read: Write, line: str, told: str) -> None:
    with pytest.raises(ExtractError, match=told):
        read(f"a,b,c\n1,x,\n{line}\n3,x,y\n")


def test_only_the_first_ragged_rows_are_named(read: Write) -> None:
    with pytest.raises(ExtractError, match="row 4 has 1 fields and 2 more where"):
        read("a,b\n1\n2\n3\n4\n5\n")


def test_a_file_cut_off_in_its_last_row_is_refused(read: Write) -> None:
    with pytest.raises(ExtractError, match="row 3 has 2 fields"):
        read("a,b,c\n1,2,3\n4,5")


def test_an_unclosed_quote_does_not_swallow_the_rest(read: Write) -> None:
    with pytest.raises(ExtractError, match=r"roster.csv: row 2 cannot be read"):
        read('a,b\n1,"x\n3,4\n')


def test_quoted_separators_and_line_breaks_belong_to_the_value(read: Write) -> None:
    raw = read('a,b\n1,"x, y\nz"\n2,"he said ""no"""\n')
    assert rows(raw) == [
        {"a": "1", "b": "x, y\nz"},
        {"a": "2", "b": 'he said "no"'},
    ]


def test_a_quote_inside_a_plain_value_is_that_value(read: Write) -> None:
    assert rows(read('a,b\n1,5" disk\n2,x\n'))[0] == {"a": "1", "b": '5" disk'}


def test_a_field_beyond_the_second_readers_limit_is_refused_not_a_crash(
    read: Write,
) -> None:
    with pytest.raises(ExtractError, match="row 2 cannot be read"):
        read('a,b\n1,"' + "x" * 200_000 + '"\n')


def test_a_blank_row_within_keeps_its_number_and_blank_rows_at_the_end_do_not_count(
    read: Write,
) -> None:
    raw = read("a,b\n1,2\n\n3,4\n\n,\n")
    assert raw.numbered().to_dicts() == [
        {"source_row": 2, "a": "1", "b": "2"},
        {"source_row": 3, "a": None, "b": None},
        {"source_row": 4, "a": "3", "b": "4"},
    ]


def test_a_repeated_header_is_refused(read: Write) -> None:
    with pytest.raises(ExtractError, match="header '工号' stands 2 times in row 1"):
        read("工号,姓名,工号 \n1,2,3\n")


def test_a_column_with_neither_header_nor_value_is_none(read: Write) -> None:
    assert read("a,b,\n1,2,\n").rows.columns == ["a", "b"]
    assert read("a,b,\n1,2,3\n").rows.columns == ["a", "b", "column 3"]


def test_titles_above_the_header_are_skipped_and_rows_keep_their_numbers(
    read: Write,
) -> None:
    raw = read("员工花名册,2026\n\n工号,姓名\n1,王伟\n", header=3)
    assert rows(raw) == [{"工号": "1", "姓名": "王伟"}]
    assert raw.first_row == 4


def test_a_header_row_beyond_the_file_is_refused(read: Write) -> None:
    with pytest.raises(ExtractError, match="before the header in row 9"):
        read("a\n1\n", header=9)


def test_a_header_row_without_headers_is_refused(read: Write) -> None:
    with pytest.raises(ExtractError, match="row 1 holds no headers"):
        read(",,\n1,2,3\n")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_read_off_the_header(read: Write, separator: str) -> None:
    raw = read(f"a{separator}b\n1{separator}2\n")
    assert rows(raw) == [{"a": "1", "b": "2"}]


def test_a_declared_separator_wins(read: Write) -> None:
    assert rows(read("a,x;b\n1;2\n", separator=";")) == [{"a,x": "1", "b": "2"}]


def test_tsv_is_separated_by_tabs(read: Write) -> None:
    assert rows(read("a,x\tb\n1\t2\n", "r.tsv")) == [{"a,x": "1", "b": "2"}]


def test_old_line_ends_are_line_ends(read: Write) -> None:
    assert read("a,b\r1,2\r3,4\r").rows.height == 2
    assert read("a,b\r\n1,2\r\n").rows["b"].to_list() == ["2"]


# Workbooks


def test_a_workbook_gives_text_ids_whole_numbers_and_iso_dates(read: Write) -> None:
    raw = read(
        workbook(
            ["工号", "编号", "入职", "登录", "在职"],
            ["00123", 1001.0, date(2024, 1, 2), datetime(2024, 1, 2, 3, 4, 5), True],  # noqa: DTZ001  Excel knows no zones
        ),
        "r.xlsx",
    )
    assert rows(raw) == [
        {
            "工号": "00123",
            "编号": "1001",
            "入职": "2024-01-02",
            "登录": "2024-01-02 03:04:05",
            "在职": "true",
        }
    ]
    assert raw.first_row == 2


def test_a_workbook_keeps_row_numbers_under_titles_and_blank_rows(read: Write) -> None:
    content = workbook(["工号"], ["1"], [None], ["2"], first_row=2)
    raw = read(content, "r.xlsx", header=3)
    assert raw.numbered().to_dicts() == [
        {"source_row": 4, "工号": "1"},
        {"source_row": 5, "工号": None},
        {"source_row": 6, "工号": "2"},
    ]


def test_a_missing_sheet_is_refused_with_those_there_are(read: Write) -> None:
    with pytest.raises(ExtractError, match="no sheet '离职'; its sheets are 花名册"):
        read(workbook(["工号"]), "r.xlsx", sheet="离职")


def test_the_named_sheet_is_read(read: Write) -> None:
    assert rows(read(workbook(["工号"], ["7"]), "r.xlsx", sheet="花名册")) == [
        {"工号": "7"}
    ]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_refused(read: Write, share: float) -> None:
    content = workbook(["工号"], *([str(number)] for number in range(500)))
    with pytest.raises(ExtractError, match=r"r.xlsx: is cut off or damaged"):
        read(content[: int(len(content) * share)], "r.xlsx")


def test_a_damaged_part_is_refused(read: Write) -> None:
    content = bytearray(workbook(["工号"], *([str(n)] for n in range(500))))
    at = content.index(b"xl/worksheets/sheet1.xml") + 60
    content[at : at + 40] = bytes(40)
    with pytest.raises(ExtractError, match=r"r.xlsx: is cut off or damaged"):
        read(bytes(content), "r.xlsx")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<html><table></table></html>", "is not an XLSX workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "old XLS or is locked with a password"),
        (b"PK\x05\x06" + bytes(18), "not a readable XLSX"),
    ],
)
def test_what_is_no_workbook_is_refused(read: Write, content: bytes, told: str) -> None:
    with pytest.raises(ExtractError, match=told):
        read(content, "r.xlsx")


def test_cells_far_apart_are_refused_before_the_reader_can_abort(read: Write) -> None:
    far = handmade_workbook(
        f'<row r="1">{text_cell("A1", "x")}</row>'
        f'<row r="1048576">{text_cell("XFD1048576", "x")}</row>'
    )
    assert len(far) < 2500
    with pytest.raises(ExtractError, match="row 1,048,576 and column 16,384"):
        read(far, "r.xlsx")


def test_far_cells_are_found_across_the_pieces_a_sheet_is_read_in(
    read: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_CHUNK", 7)
    far = handmade_workbook(
        f'<row r="1">{text_cell("A1", "x")}</row>'
        f'<row r="1048576">{text_cell("XFD1048576", "x")}</row>'
    )
    with pytest.raises(ExtractError, match="row 1,048,576"):
        read(far, "r.xlsx")


def test_a_rectangle_at_the_limit_is_read_and_one_beyond_is_not(
    read: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = workbook(["a", "b"], ["1", "2"])
    monkeypatch.setattr(files, "_CELLS", 4)
    assert read(book, "r.xlsx").rows.height == 1
    monkeypatch.setattr(files, "_CELLS", 3)
    with pytest.raises(ExtractError, match="row 2 and column 2"):
        read(book, "r.xlsx")


def test_an_empty_last_row_that_office_writes_is_no_far_cell(read: Write) -> None:
    raw = read(
        handmade_workbook(
            f'<row r="1">{text_cell("A1", "工号")}</row>'
            f'<row r="2">{text_cell("A2", "7")}</row><row r="1048576" hidden="1"/>'
        ),
        "r.xlsx",
    )
    assert rows(raw) == [{"工号": "7"}]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("<row><c><v>1</v></c></row>", "cells without an address"),
        ('<row><c r="&#88;FD9"><v>1</v></c></row>', "not as Excel writes it"),
        ('<row><c r="A1"><f>1+1</f></c></row>', "A1 of .* never calculated"),
        ('<row><c r="A1"><f>1+1</f><v></v></c></row>', "never calculated"),
    ],
)
def test_cells_no_reader_could_tell_are_refused(
    read: Write, cells: str, told: str
) -> None:
    with pytest.raises(ExtractError, match=told):
        read(handmade_workbook(cells), "r.xlsx")


def test_a_calculated_formula_is_its_value(read: Write) -> None:
    book = handmade_workbook(
        f'<row r="1">{text_cell("A1", "h")}{text_cell("B1", "t")}</row><row r="2">'
        '<c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>""</f><v></v></c></row>'
    )
    assert rows(read(book, "r.xlsx")) == [{"h": "2", "t": None}]


def test_an_error_in_a_cell_does_not_pass_for_an_empty_cell(read: Write) -> None:
    book = handmade_workbook(
        f'<row r="1">{text_cell("B1", "工号")}{text_cell("C1", "离职日期")}</row>'
        f'<row r="2">{text_cell("B2", "7")}<c r="C2" t="e"><v>#N/A</v></c></row>'
        f'<row r="3">{text_cell("B3", "8")}</row>'
    )
    assert rows(read(book, "r.xlsx")) == [
        {"工号": "7", "离职日期": "#N/A"},
        {"工号": "8", "离职日期": None},
    ]


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({f"xl/media/{n}.bin": b"x" for n in range(400)}, "has 405 parts"),
        ({"../evil.xml": b"x"}, "points outside"),
        ({"/evil.xml": b"x"}, "points outside"),
        ({"xl/worksheets/bomb.xml": bytes(20_000_000)}, "300 times its size"),
        ({"xl/a.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"}, "not as Excel writes it"),
    ],
)
def test_a_hostile_archive_is_refused(
    read: Write, parts: dict[str, bytes], told: str
) -> None:
    with pytest.raises(ExtractError, match=told):
        read(handmade_workbook("", parts=parts), "r.xlsx")


def test_a_part_that_stands_twice_is_refused(read: Write) -> None:
    content = io.BytesIO(handmade_workbook(""))
    with (
        zipfile.ZipFile(content, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(ExtractError, match="one part twice"):
        read(content.getvalue(), "r.xlsx")


def test_an_encrypted_part_is_refused(read: Write) -> None:
    content = bytearray(workbook(["a"]))
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    with pytest.raises(ExtractError, match="is encrypted"):
        read(bytes(content), "r.xlsx")


def test_more_unpacked_bytes_than_allowed_are_refused(
    read: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_INFLATED", 100)
    with pytest.raises(ExtractError, match=r"unpacks to .* where 100 are the most"):
        read(workbook(["a"]), "r.xlsx")


def test_an_empty_sheet_is_refused(read: Write) -> None:
    with pytest.raises(ExtractError, match="has no row 1 to take the headers from"):
        read(workbook(), "r.xlsx")


# JSON, NDJSON, Parquet


def test_json_records_are_flattened_and_every_value_is_text(read: Write) -> None:
    raw = read(
        '[{"id": 7, "mfa": {"state": "on", "n": 1.50}, "roles": ["a", 2], "on": true},'
        ' {"id": "008", "x": null}]',
        "users.json",
    )
    assert rows(raw) == [
        {
            "id": "7",
            "mfa.state": "on",
            "mfa.n": "1.50",
            "roles": ["a", "2"],
            "on": "true",
        }
        | {"x": None},
        {"id": "008", "mfa.state": None, "mfa.n": None, "roles": None, "on": None}
        | {"x": None},
    ]
    assert raw.first_row == 1


def test_json_objects_in_lists_become_lists_by_their_keys(read: Write) -> None:
    raw = read('[{"m": [{"id": 1, "n": "a"}, {"id": 2}]}, {"m": []}]', "g.json")
    assert raw.rows.to_dict(as_series=False) == {
        "m.id": [["1", "2"], None],
        "m.n": [["a", None], None],
        "m": [None, []],
    }


def test_json_keyed_by_id_is_read_as_its_values(read: Write) -> None:
    raw = read('{"U-1": {"n": "a"}, "U-2": {"n": "b"}}', "users.json")
    assert rows(raw) == [{"@key": "U-1", "n": "a"}, {"@key": "U-2", "n": "b"}]


def test_json_records_are_found_at_a_dotted_path(read: Write) -> None:
    document = '{"value": [{"id": 1}], "deep": {"er": {"k": {"id": 2}}}}'
    assert rows(read(document, "p.json", rows="value")) == [{"id": "1"}]
    assert rows(read(document, "p.json", rows="deep.er")) == [{"@key": "k", "id": "2"}]


def test_json_records_of_several_paths_say_where_they_stood(read: Write) -> None:
    raw = read(
        '{"admins": [{"id": 1}], "guests": [{"id": 2}], "meta": [{"count": 2}]}',
        "t.json",
        rows=["admins", "guests"],
        total_from="meta.0.count",
    )
    assert rows(raw) == [{"@rows": "admins", "id": "1"}, {"@rows": "guests", "id": "2"}]
    assert raw.stated == 2


@pytest.mark.parametrize(
    ("document", "how", "told"),
    [
        ('[{"a": 1}, {"a"', {}, "line 1, column 16: not JSON, or cut off"),
        ('{"value": [], "n": 1}', {}, r"not a list of records; .*lists: value"),
        ('{"value": [{"a": 1}]}', {"rows": "rows"}, "has no 'rows' .*there are value"),
        ('{"value": 3}', {"rows": "value"}, "'value' is not a list of records"),
        ("[1, 2]", {}, "row 1 is not an object"),
        ('[{"a": 1, "a": 2}]', {}, "an object holds 'a' twice"),
        ("[" * 100_000, {}, "nested too deep"),
        ("[]", {}, "holds no records"),
        ('[{"a": 1}]', {"total_from": "0.b"}, "has no 'b' of '0.b'; there are a"),
        ('[{"a": "x"}]', {"total_from": "0.a"}, "0.a is not a whole number"),
    ],
)
def test_json_that_cannot_be_meant_is_refused(
    read: Write, document: str, how: dict[str, object], told: str
) -> None:
    with pytest.raises(ExtractError, match=told):
        read(document, "users.json", **how)


def test_ndjson_is_one_record_a_line(read: Write) -> None:
    raw = read('{"id": 1}\n{"id": 2, "r": ["x"]}\n\n', "log.ndjson")
    assert rows(raw) == [{"id": "1", "r": None}, {"id": "2", "r": ["x"]}]


def test_a_broken_ndjson_line_is_named(read: Write) -> None:
    with pytest.raises(ExtractError, match="row 2: not JSON, or cut off"):
        read('{"id": 1}\n{"id": \n{"id": 3}\n', "log.jsonl")


def test_parquet_is_read_as_text_with_times_in_utc(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "id": ["007"],
            "n": [7],
            "on": [True],
            "day": [date(2024, 1, 2)],
            "at": [datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)],
            "who": [{"name": "王伟"}],
            "roles": [["a", "b"]],
        }
    )
    path = tmp_path / "users.parquet"
    frame.write_parquet(path)
    assert read_table(path, name="users").rows.to_dicts() == [
        {
            "id": "007",
            "n": "7",
            "on": "true",
            "day": "2024-01-02",
            "at": "2024-01-02T03:04:05Z",
            "who.name": "王伟",
            "roles": ["a", "b"],
        }
    ]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ExtractError, match=r"users.parquet: is not a Parquet file"):
        read_table(path, name="users")


# Credentials


@pytest.mark.parametrize(
    "header",
    [
        *("password", "Passwd", "pwd", "user_pwd", "hash", "password_hash", "Salt"),
        *("userPassword", "unicodePwd", "client secret", "access_token", "TOTP"),
        *("totp_secret", "otp", "recovery_codes", "passwordProfile.password"),
        *(
            "登录密码",
            "密码",
            "口令",
            "密钥",
            "初始密码",
            "pwd_md5",
            "ntHash",
            "apiKey",
        ),
    ],
)
def test_a_column_named_for_a_secret_refuses_the_file(read: Write, header: str) -> None:
    with pytest.raises(
        ExtractError, match="holds passwords, hashes or tokens"
    ) as error:
        read(f"id,{header}\n1,hunter2\n")
    assert f"'{header}'" in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    "header",
    [
        *(
            "Password Changed",
            "密码修改时间",
            "lastPasswordChangeDateTime",
            "pwdLastSet",
        ),
        *("password_changed_at", "2FA", "passwordPolicies", "badPwdCount", "秘书"),
        *("是否初始密码", "密码过期日期", "token_type", "recoveryEmail", "secretary"),
        *("mfa_enabled", "passwordProfile.forceChangePasswordNextSignIn", "hashtag"),
    ],
)
def test_a_column_about_a_secret_is_taken(read: Write, header: str) -> None:
    assert read(f"id,{header}\n1,2024-01-02\n").rows.columns == ["id", header]


@pytest.mark.parametrize("values", [["", ""], ["true", "FALSE"], ["是", "否"]])
def test_a_column_of_nothing_or_of_flags_holds_no_secret(
    read: Write, values: list[str]
) -> None:
    one, other = values
    assert read(f"id,password\n1,{one}\n2,{other}\n").rows.height == 2


HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "value",
    [
        "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
        "{SSHA}c2VjcmV0",
        "$6$salt$hash",
        "pbkdf2_sha256$600000$salt$hash",
        "-----BEGIN RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    ],
)
def test_values_that_look_like_credentials_refuse_any_column(
    read: Write, value: str
) -> None:
    with pytest.raises(ExtractError, match=r"column 'note' holds .*look of its values"):
        read(json.dumps([{"note": "fine"}, {"note": value}]), "x.json")
    with pytest.raises(ExtractError, match="column 'notes' holds"):
        read(json.dumps([{"notes": ["fine", value]}]), "x.json")


@pytest.mark.parametrize("length", [32, 40, 64])
def test_hexadecimal_digests_count_only_under_a_telling_name(length: int) -> None:
    value = HEX[:length]
    with pytest.raises(ExtractError, match="look of its values"):
        refuse_credentials("f", pl.DataFrame({"password_status": [value]}))
    refuse_credentials("f", pl.DataFrame({"device": [value]}))
    refuse_credentials("f", pl.DataFrame({"password_status": [value[:-1]]}))


def test_other_types_than_text_are_no_credentials() -> None:
    refuse_credentials("f", pl.DataFrame({"password": [1, 2]}))


def test_a_long_csv_can_be_filtered_and_quoted(tmp_path: Path) -> None:
    """Polars reads a long CSV in chunks; a filtered one then stopped the process."""
    lines = [f"{1552000000000004517 + row},{row % 1000}" for row in range(50_000)]
    path = tmp_path / "long.csv"
    path.write_text("user_id,is_del\n" + "\n".join(lines), "utf-8")
    rows = read_table(path, name="users").numbered()
    quoted = rows.filter(pl.col("is_del") == "1").select(
        said=pl.format("user {} is deleted", "user_id")
    )
    assert quoted.height == 50
