"""Workbooks for tests."""

import io
import re
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

from openpyxl import Workbook

HEADER = ["省份", "城市", "用户数"]
XLSM = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def book(*sheets: Iterable[Iterable[Any]], change: Callable[[Any], None] | None = None) -> bytes:
    """The bytes of a workbook with these sheets, named A, B, ..., after `change` of it."""
    made, file = Workbook(), io.BytesIO()
    made.remove(made.active)
    for number, rows in enumerate(sheets):
        sheet = made.create_sheet("ABCDEF"[number])
        for row in rows:
            sheet.append(row)
    if change:
        change(made)
    made.save(file)
    return file.getvalue()


def with_parts(data: bytes, edit: Callable[[str, bytes], bytes], **added: bytes) -> bytes:
    """The workbook with its parts as `edit` makes them, and others; a name has "__" for "/"."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, edit(name, old.read(name)))
        for name, content in added.items():
            new.writestr(name.replace("__", "/"), content)
    return file.getvalue()


def with_rows(data: bytes, rows: bytes) -> bytes:
    """The workbook with this XML in place of the rows of its first sheet."""
    pattern = re.compile(rb"<sheetData.*</sheetData>", re.DOTALL)

    def edit(name: str, content: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return content
        return pattern.sub(lambda _: b"<sheetData>" + rows + b"</sheetData>", content)

    return with_parts(data, edit)
