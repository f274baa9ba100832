"""The communities that installers are made for, from a TOML file (one) or an Excel table (many).

``packaging/community.py FILE`` checks a table and says what would be made; ``--template FILE.xlsx`` writes a new one.
All that is wrong is told at once, each with its row and column, and nothing is made from a table with a mistake.
"""

import argparse
import ipaddress
import ssl
import struct
import sys
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]

import building_table
import msgspec
from building_table import SHEET as BUILDINGS_SHEET
from tables import Problems, Row, WrongTable, rows, workbook

from desktop.preset import CAN_BE_OFF, SIZES, Community, is_address
from desktop.settings import TEXT_PERCENTS
from sync.domain.building_list import BuildingList
from sync.keys.manifests import COMMUNITY_ID

SHEET: Final = "社区"
# The columns of a table of many, and the key of the TOML file for the same.
COLUMNS: Final[Mapping[str, str]] = {
    "编号": "id",
    "名称": "name",
    "区划代码": "area_code",
    "小区": "compounds",
    "服务器地址": "servers",
    "证书文件": "ca",
    "楼栋表": "buildings",
    "标志": "logo",
    "页面": "modules",
    "字号": "text_size",
    "明文连接": "plain_http",
}
NEEDED: Final = ("编号", "名称", "服务器地址")
TAKEN: Final = frozenset({"server"})  # qiaomen-server is the name of the server's own package
MODULES: Final = {"需求图": "needs_map", "调处": "disputes"}
LONGEST_NAME: Final = 40
_NEVER_IN_A_NAME: Final = "\\/:*?\"<>|$%`'&;!{}"  # it becomes the name of a menu entry, of files and of folders
_NONE_AT_ALL: Final = "无"
_ALLOWED: Final = "允许"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_LEAST_LOGO: Final = 64


@dataclass(frozen=True, slots=True)
class Packaged:
    """A community with all that its preset is made of; b"" where there is no such file."""

    community: Community
    buildings: BuildingList
    ca: bytes = b""
    logo: bytes = b""

    @property
    def in_clear(self) -> tuple[str, ...]:
        """Addresses over which the records go as they are, for everybody on the line to read."""
        return tuple(filter(is_plain, self.community.servers))


@dataclass(frozen=True, slots=True)
class _Source:
    """Where values come from: how a field is called there, and the folder that file names start from."""

    place: str
    folder: Path
    names: Mapping[str, str]  # of a field, as the person who packages knows it
    problems: Problems

    def wrong(self, field: str, what: str) -> None:
        name = self.names.get(field, field)
        self.problems.add(f"{self.place}“{name}”", what)


def read_communities(path: Path) -> tuple[Packaged, ...]:
    """Every community of a ``.toml`` or ``.xlsx`` file, in its order. Raises WrongTable with all that is wrong."""
    problems = Problems()
    match path.suffix.lower():
        case ".toml":
            found = _from_toml(path, problems)
        case ".xlsx":
            found = _from_table(path, problems)
        case _:
            problems.add(path.name, "只认 .toml（一个社区）和 .xlsx（一张表，多个社区）")
            found = []
    problems.raise_any()
    return tuple(found)


def _from_toml(path: Path, problems: Problems) -> list[Packaged]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        problems.add(path.name, "找不到这个文件")
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.add(path.name, f"读不出来：{error}")
        return []
    source = _Source(path.name, path.parent, {}, problems)
    known = {*COLUMNS.values(), "building"}
    for key in sorted(table.keys() - known):
        problems.add(path.name, f"不认识 {key}；可以有：{'、'.join(sorted(known))}")
    listed = table.pop("building", None)
    buildings = BuildingList()
    if listed is not None and table.get("buildings"):
        source.wrong("buildings", "已经写了 [[building]]，不能再给楼栋表")
    elif isinstance(listed, list):
        buildings = building_table.from_toml(listed, path.name, problems)
    elif listed is not None:
        source.wrong("building", "应该写成 [[building]]")
    made = _community(table, buildings, source)
    return [made] if made else []


def _from_table(path: Path, problems: Problems) -> list[Packaged]:
    sheets = workbook(path, problems)
    name = SHEET if SHEET in sheets else next(iter(sheets))
    columns = {field: column for column, field in COLUMNS.items()}
    place = f"{path.name}“{name}”"
    placed = list(rows(place, sheets[name], columns=tuple(COLUMNS), needed=NEEDED, problems=problems))
    if not placed:
        problems.add(place, "一个社区也没有")
    by_community = _buildings_of_all(path, sheets, problems)
    found, ids, names = [], dict[str, Row](), dict[str, Row]()
    for row in placed:
        for column, taken in (("编号", ids), ("名称", names)):
            value = row.text(column)
            if value in taken:
                row.wrong(column, f"“{value}”和第 {taken[value].number} 行重复；每个社区的{column}不能一样")
            elif value:
                taken[value] = row
        id = row.text("编号")
        of_it = by_community.pop(id, [])
        if of_it and row.text("楼栋表"):
            row.wrong("楼栋表", f"“{BUILDINGS_SHEET}”里已经有这个社区的楼，不能再给楼栋表")
        source = _Source(row.place(), path.parent, columns, problems)
        made = _community(_values(row), building_table.checked(building_table.from_rows(of_it)), source)
        if made:
            found.append(made)
    for id, left in by_community.items():
        left[0].wrong(building_table.OF, f"社区表里没有“{id}”" if id else "没有填")
    return found


def _buildings_of_all(path: Path, sheets: Mapping[str, list[list[str]]], problems: Problems) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    if BUILDINGS_SHEET in sheets:
        columns = (building_table.OF, *building_table.COLUMNS)
        needed = (building_table.OF, *building_table.NEEDED)
        place = f"{path.name}“{BUILDINGS_SHEET}”"
        for row in rows(place, sheets[BUILDINGS_SHEET], columns=columns, needed=needed, problems=problems):
            found.setdefault(row.text(building_table.OF), []).append(row)
    return found


def _values(row: Row) -> dict[str, Any]:
    values: dict[str, Any] = {field: row.text(column) for column, field in COLUMNS.items() if row.text(column)}
    for column in ("小区", "服务器地址"):
        values[COLUMNS[column]] = list(row.parts(column))
    if "字号" in row.cells:
        # A cell that Excel formats as per cent holds a fraction.
        text = row.text("字号").removesuffix("%")
        values["text_size"] = round(float(text) * 100) if text in ("1.15", "1.3", "1.5", "1.75") else text
        values["text_size"] = int(text) if text.isdecimal() and len(text) == 3 else values["text_size"]
    if "明文连接" in row.cells:
        values["plain_http"] = row.choice("明文连接", {_ALLOWED: True}) is True
    if "页面" in row.cells:
        parts = row.parts("页面")
        for part in parts:
            if part not in MODULES and part != _NONE_AT_ALL:
                row.wrong("页面", f"只能填{'、'.join(MODULES)}，都不要就填“{_NONE_AT_ALL}”，现在是“{part}”")
        values["modules"] = [MODULES[part] for part in parts if part in MODULES]
    return values


def _community(table: Mapping[str, Any], buildings: BuildingList, source: _Source) -> Packaged | None:
    """Check all values and files of one community; None when there is something wrong."""
    before = len(source.problems.found)
    ca, logo = _file(table, "ca", source), _file(table, "logo", source)
    if ca:
        _check_ca(ca, source)
    if logo:
        _check_logo(logo, source)
    if table.get("buildings"):
        if isinstance(table["buildings"], str):
            buildings = _own_table(source.folder / table["buildings"], source.problems)
        else:
            source.wrong("buildings", "应该是楼栋表的文件名")
    fields = {key: table[key] for key in Community.__struct_fields__ if key in table}
    for key in ("id", "name", "servers"):
        if not fields.get(key):
            source.wrong(key, "没有填")
    if not fields.get("compounds"):
        fields["compounds"] = list(dict.fromkeys(one.compound for one in buildings.buildings))
    try:
        community = msgspec.convert({"id": "", "name": "?", "servers": ["?"], **_filled(fields)}, Community)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`").partition("[")[0]
        source.wrong(field, "填得不对（类型、长短或大小不合要求）")
        return None
    _check(community, buildings, source, given=fields)
    _check_lines(community.servers, source, allowed=table.get("plain_http", False), has_ca=bool(ca))
    if len(source.problems.found) > before:
        return None
    return Packaged(community=community, buildings=buildings, ca=ca, logo=logo)


def _own_table(path: Path, problems: Problems) -> BuildingList:
    try:
        return building_table.from_workbook(path, problems)
    except WrongTable:  # noted already
        return BuildingList()


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those that say something; a list of pages says something even when it is empty."""
    return {key: value for key, value in fields.items() if value not in ("", []) or key == "modules"}


def _check(community: Community, buildings: BuildingList, source: _Source, *, given: Mapping[str, Any]) -> None:
    if given.get("id") and not COMMUNITY_ID.fullmatch(community.id):
        source.wrong("id", f"只能用小写字母、数字和中间的横线，2 到 32 个，现在是“{community.id}”")
    if community.id in TAKEN:
        source.wrong("id", f"“{community.id}”留给服务器的安装包，请换一个")
    bad = sorted({char for char in community.name if char in _NEVER_IN_A_NAME or not char.isprintable()})
    if bad:
        source.wrong("name", f"名称里不能有 {' '.join(bad)}")
    if len(community.name) > LONGEST_NAME:
        source.wrong("name", f"最多 {LONGEST_NAME} 个字")
    if community.area_code and not (community.area_code.isdecimal() and 6 <= len(community.area_code) <= 12):
        source.wrong("area_code", f"应该是 6 到 12 位数字，现在是“{community.area_code}”")
    for server in community.servers if given.get("servers") else ():
        if not is_address(server):
            source.wrong("servers", f"“{server}”不是服务器地址（要像 https://192.0.2.10:8440）")
    for field in ("servers", "compounds"):
        values = getattr(community, field)
        for twice in sorted({value for value in values if values.count(value) > 1}):
            source.wrong(field, f"“{twice}”写了两遍")
    for module in community.modules or ():
        if module not in CAN_BE_OFF:
            source.wrong("modules", f"不认识“{module}”；可以有：{'、'.join(sorted(CAN_BE_OFF))}")
    if community.text_size not in TEXT_PERCENTS:
        source.wrong("text_size", f"只能是 {'、'.join(map(str, TEXT_PERCENTS))}，现在是 {community.text_size}")
    for compound in dict.fromkeys(one.compound for one in buildings.buildings):
        if compound and compound not in community.compounds:
            source.wrong("compounds", f"楼栋表里有“{compound}”，这里没有写")
    if len(buildings.content) > SIZES["buildings.json"]:
        source.wrong("buildings", "楼太多了，装不下")


def _check_lines(servers: tuple[str, ...], source: _Source, *, allowed: object, has_ca: bool) -> None:
    """Whoever wants the records to go over the line in clear has to say so: it may be a slip of one letter."""
    if not isinstance(allowed, bool):
        source.wrong("plain_http", "只能是 true 或 false")
    how = f"在“{source.names['plain_http']}”填“{_ALLOWED}”" if source.names else "写上 plain_http = true"
    for server in servers:
        if is_plain(server) and not allowed:
            source.wrong("servers", f"“{server}”不加密，居民的记录会明文传送；请改成 https://，确实只能这样就{how}")
    if has_ca and all(is_address(server) and urlsplit(server).scheme == "http" for server in servers):
        source.wrong("ca", "服务器地址里没有 https://，用不上证书")


def is_plain(address: str) -> bool:
    """Whether what goes there can be read on the way: http, and not to this same PC, as in a trial."""
    if not is_address(address) or urlsplit(address).scheme != "http":
        return False
    host = urlsplit(address).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return host != "localhost"


def _file(table: Mapping[str, Any], field: str, source: _Source) -> bytes:
    """A file that is named, b"" for none; what can't be read is noted."""
    name = table.get(field)
    if not name:
        return b""
    if not isinstance(name, str):
        source.wrong(field, "应该是文件名")
        return b""
    most = SIZES[{"ca": "ca.pem", "logo": "logo.png"}[field]]
    try:
        content = (source.folder / name).read_bytes()
    except OSError:
        source.wrong(field, f"找不到文件 {name}（从表格所在的文件夹找起）")
        return b""
    if not content:
        source.wrong(field, f"文件 {name} 是空的")
    if len(content) > most:
        source.wrong(field, f"文件 {name} 太大，最多 {most // 1024} KB")
    return content


def _check_ca(content: bytes, source: _Source) -> None:
    if b"PRIVATE KEY" in content:
        source.wrong("ca", "里面有私钥！安装包谁都能拆开，只能放 CA 证书")
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=content.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError, ValueError):
        source.wrong("ca", "不是 PEM 证书（要以 -----BEGIN CERTIFICATE----- 开头）")
        return
    authorities = context.get_ca_certs()
    if not authorities:
        source.wrong("ca", "是一台服务器的证书，不是签发它的 CA 证书")
    for authority in authorities:
        ends = str(authority["notAfter"])
        if ssl.cert_time_to_seconds(ends) < time.time():
            source.wrong("ca", f"证书已经过期（{ends}）")


def _check_logo(content: bytes, source: _Source) -> None:
    if content[:8] != _PNG or len(content) < 24:
        source.wrong("logo", "不是 PNG 图片")
        return
    width, height = struct.unpack(">II", content[16:24])
    if min(width, height) < _LEAST_LOGO:
        source.wrong("logo", f"太小（{width}×{height}），长和宽都要有 {_LEAST_LOGO} 以上")


# --------------------------------------------------------------------------------------------- the command line


def write_template(path: Path) -> None:
    """An empty table with its headings and two lines as an example."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = SHEET
    sheet.append([f"{column}*" if column in NEEDED else column for column in COLUMNS])
    sheet.append(["xingfuli", "幸福里社区", "110105001001", "幸福里一区、幸福里二区", "https://192.0.2.10:8440"])
    other = book.create_sheet(BUILDINGS_SHEET)
    heading = (building_table.OF, *building_table.COLUMNS)
    other.append(
        [f"{column}*" if column in (building_table.OF, *building_table.NEEDED) else column for column in heading]
    )
    other.append(["xingfuli", "幸福里一区", "1号楼", 6, 2, 3])
    other.append(["xingfuli", "幸福里二区", "2号楼", 18, 4, 2, 1, 0, 1, "2-401", "1-1701", "有", "塔楼"])
    for one in (sheet, other):
        one.freeze_panes = "A2"
        for letter in "ABCDEFGHIJKLMN":
            one.column_dimensions[letter].width = 16
    book.save(path)


def main(arguments: list[str] | None = None) -> int:
    """Check a table, or write an empty one; the exit status: 0, or 1 when something is wrong with it."""
    parser = argparse.ArgumentParser(prog="community.py", description="检查社区表，或者写一张空表。")
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE.toml|TABLE.xlsx", help="要检查的文件")
    parser.add_argument("--template", type=Path, metavar="FILE.xlsx", help="写一张空表（带两行例子）")
    given = parser.parse_args(arguments)
    if given.template:
        write_template(given.template)
        print(f"空表写好了：{given.template}")
    if given.file:
        try:
            found = read_communities(given.file)
        except WrongTable as error:
            return complain(error)
        for one in found:
            told = one.community
            print(
                f"{told.id}  {told.name}  {len(told.compounds)} 个小区  {len(one.buildings.buildings)} 栋楼  "
                f"{one.buildings.doors} 户  {'、'.join(told.servers)}{'  自己的 CA' if one.ca else ''}"
                f"{'  不加密！' if one.in_clear else ''}"
            )
    return 0


def complain(error: WrongTable) -> int:
    """Say all that is wrong; the exit status for it."""
    for sentence in error.sentences:
        print(sentence, file=sys.stderr)
    print(f"一共 {len(error.sentences)} 处要改，什么都没有做。", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
