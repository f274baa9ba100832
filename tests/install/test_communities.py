"""The tables that installers are made from: what is read, and each mistake told with its row and column."""

import struct
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from community import COLUMNS, main, read_communities, write_template
from tables import WrongTable

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "packaging/communities/example.toml"
HEADING = tuple(COLUMNS)
BUILDING_HEADING = ("社区编号", "小区", "楼栋", "层数", "每层户数", "单元数")

# A certificate authority that has been made for this test, valid until 2056, and one that ended in 2021.
CA = """-----BEGIN CERTIFICATE-----
MIH1MIGooAMCAQICAQEwBQYDK2VwMBkxFzAVBgNVBAMMDlRlc3QgYXV0aG9yaXR5
MCAXDTI2MDEwMTAwMDAwMFoYDzIwNTYwMTAxMDAwMDAwWjAZMRcwFQYDVQQDDA5U
ZXN0IGF1dGhvcml0eTAqMAUGAytlcAMhAHiRpSnNzSEsESdOBYaN8DF+CWeVOqW3
JIVUeEM1PpF7oxMwETAPBgNVHRMBAf8EBTADAQH/MAUGAytlcANBABNEU7qQ3uZx
Z4Wy7B59Kgk/jG7gw8gVXpYECja0jR+khR53OX1gjP+w1R4SsjjynOANtaUcdN4g
y4/fntP5uQQ=
-----END CERTIFICATE-----
"""
ENDED = """-----BEGIN CERTIFICATE-----
MIIBCTCBvKADAgECAgEBMAUGAytlcDAkMSIwIAYDVQQDDBlUZXN0IGF1dGhvcml0
eSB0aGF0IGVuZGVkMB4XDTIwMDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowJDEi
MCAGA1UEAwwZVGVzdCBhdXRob3JpdHkgdGhhdCBlbmRlZDAqMAUGAytlcAMhACyp
dWkVXfULiw2456X5Fb2czhoDrmx5LXueUp+VQ0zioxMwETAPBgNVHRMBAf8EBTAD
AQH/MAUGAytlcANBAPoSY1OUxb0c6odN2bHyfNLO3BBCk8bILN82oMhCjI1Rq07A
70xe24gQ8puQ/UmxPyoNn1M5vMM7C2ZSXJ6GAQs=
-----END CERTIFICATE-----
"""
SERVER_ONLY = """-----BEGIN CERTIFICATE-----
MIHyMIGloAMCAQICAQEwBQYDK2VwMBkxFzAVBgNVBAMMDlRlc3QgYXV0aG9yaXR5
MCAXDTI2MDEwMTAwMDAwMFoYDzIwNTYwMTAxMDAwMDAwWjAZMRcwFQYDVQQDDA5z
ZXJ2ZXIuZXhhbXBsZTAqMAUGAytlcAMhAMZQCj9cvynITvCXdfKSpECtpkiz4kYC
F1KoBvLE07hAoxAwDjAMBgNVHRMBAf8EAjAAMAUGAytlcANBAJtuzT/v5Uf8yl4k
2ENDJzGHCjG7CSrGsjeR+LMNlsAnkQsa2x5UeGHBej+cJSJNX+ZWqFlI5gwH6kGP
CED3cgA=
-----END CERTIFICATE-----
"""


def table(
    path: Path, *lines: tuple[Any, ...], buildings: tuple[tuple[Any, ...], ...] = (), heading: Any = HEADING
) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "社区"
    for line in (heading, *lines):
        sheet.append(list(line))
    if buildings:
        other = book.create_sheet("楼栋")
        for line in (BUILDING_HEADING, *buildings):
            other.append(list(line))
    book.save(path)
    return path


def png(side: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", side, side, 8, 6, 0, 0, 0)


def mistakes(path: Path) -> list[str]:
    with pytest.raises(WrongTable) as caught:
        read_communities(path)
    return list(caught.value.sentences)


def test_one_community_from_a_data_file(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = read_communities(EXAMPLE)
    assert (found.community.id, found.community.name, found.community.text_size) == ("xingfuli", "幸福里社区", 115)
    assert found.community.compounds == ("幸福里一区", "幸福里二区")
    assert found.community.modules is None
    assert found.buildings.doors == 36 + 146
    assert main([str(EXAMPLE)]) == 0
    assert "xingfuli  幸福里社区  2 个小区  2 栋楼  182 户" in capsys.readouterr().out


def test_many_communities_from_one_table(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(CA, encoding="ascii")
    (tmp_path / "logo.png").write_bytes(png(256))
    own = tmp_path / "楼.xlsx"
    table(own, ("甲", "1号楼", 6.0, "2"), heading=("小区*", "楼栋（全名）*", "层数*", "每层户数*"))
    path = table(
        tmp_path / "社区.xlsx",
        (
            "aa",
            "甲社区",
            110105001001,
            "",
            "https://10.0.0.1、http://10.0.0.1:8440",
            "ca.pem",
            own.name,
            "logo.png",
            "无",
            1.15,
            "允许",
        ),
        (),
        ("bb-2", "乙社区", None, "子、丑", "https://10.0.0.2", None, None, None, "需求图", "130%"),
        ("cc", "丙社区", "", "", "http://127.0.0.1:8440、http://localhost", "", "", "", "", 150),
        buildings=(("bb-2", "子", "1号楼", 6, 2, 3), ("bb-2", "丑", "1号楼", 6, 2, 1)),
    )
    one, two, three = read_communities(path)
    assert one.community.servers == ("https://10.0.0.1", "http://10.0.0.1:8440")
    assert (one.community.area_code, one.community.modules, one.community.text_size) == ("110105001001", (), 115)
    assert one.community.compounds == ("甲",)
    assert (one.ca.decode(), one.logo) == (CA, png(256))
    assert one.buildings.doors == 12
    assert (two.community.modules, two.community.text_size) == (("needs_map",), 130)
    assert two.buildings.doors == 36 + 12
    assert (three.community.modules, three.community.text_size) == (None, 150)


def test_an_address_in_clear_is_told_where_it_is_allowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for servers, is_told in (('"http://a"', True), ('"https://a"', False), ('"http://[::1]:8440"', False)):
        (tmp_path / "a.toml").write_text(
            f'id = "aa"\nname = "甲"\nservers = [{servers}]\nplain_http = true\n', encoding="utf-8"
        )
        assert main([str(tmp_path / "a.toml")]) == 0
        assert ("不加密！" in capsys.readouterr().out) is is_told


def test_the_template_is_a_table_without_mistakes(tmp_path: Path) -> None:
    write_template(tmp_path / "t.xlsx")
    (found,) = read_communities(tmp_path / "t.xlsx")
    assert found.buildings.doors == 36 + 142


def test_all_mistakes_of_a_table_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\n", encoding="ascii")
    (tmp_path / "old.pem").write_text(ENDED, encoding="ascii")
    (tmp_path / "leaf.pem").write_text(SERVER_ONLY, encoding="ascii")
    (tmp_path / "no.pem").write_text("hello", encoding="ascii")
    (tmp_path / "small.png").write_bytes(png(16))
    (tmp_path / "big.png").write_bytes(bytes(1024 * 1024 + 1))
    (tmp_path / "none.xlsx").write_bytes(b"no workbook")
    path = table(
        tmp_path / "社区.xlsx",
        ("aa", "甲社区", "", "", "", "no.pem"),
        ("AA", "乙/社区", "12", "子、子", "10.0.0.1", "key.pem", "none.xlsx", "small.png", "游戏", 110),
        ("aa", "", "", "", "http://a", "old.pem", "gone.xlsx", "big.png", "", "大"),
        ("dd", "甲社区", "", "子", "http://a", "leaf.pem", "", "gone.png", "", "", "是"),
        buildings=(
            ("dd", "子", "1号楼", 600, 2, 3),
            ("dd", "丑", "", "六", "", 3),
            ("ee", "子", "1号楼", 6, 2, 3),
        ),
    )
    found = [sentence.removeprefix("社区.xlsx“社区” ") for sentence in mistakes(path)]
    wanted = [
        "第 2 行“证书文件”：不是 PEM 证书",
        "第 2 行“服务器地址”：没有填",
        "第 3 行“页面”：只能填需求图、调处，都不要就填“无”，现在是“游戏”",
        "第 3 行“证书文件”：里面有私钥！",
        "第 3 行“标志”：太小（16×16）",
        "none.xlsx：读不出来；请用 Excel 或 WPS 另存为 .xlsx",
        "第 3 行“编号”：只能用小写字母、数字",
        "第 3 行“名称”：名称里不能有 /",
        "第 3 行“区划代码”：应该是 6 到 12 位数字，现在是“12”",
        "第 3 行“服务器地址”：“10.0.0.1”不是服务器地址",
        "第 3 行“小区”：“子”写了两遍",
        "第 3 行“字号”：只能是 100、115、130、150、175、200，现在是 110",
        "第 4 行“编号”：“aa”和第 2 行重复",
        "第 4 行“证书文件”：证书已经过期（Jan  1 00:00:00 2021 GMT）",
        "第 4 行“标志”：文件 big.png 太大，最多 1024 KB",
        "第 4 行“标志”：不是 PNG 图片",
        "gone.xlsx：找不到这个文件",
        "第 4 行“名称”：没有填",
        "第 4 行“字号”：填得不对",
        "社区.xlsx“楼栋” 第 2 行“层数”：应该在 1 到 120 之间",
        "社区.xlsx“楼栋” 第 3 行“层数”：应该是数字，现在是“六”",
        "社区.xlsx“楼栋” 第 3 行“每层户数”：没有填",
        "社区.xlsx“楼栋” 第 3 行“楼栋”：没有填",
        "第 5 行“名称”：“甲社区”和第 2 行重复",
        "第 5 行“证书文件”：是一台服务器的证书，不是签发它的 CA 证书",
        "第 5 行“证书文件”：服务器地址里没有 https://，用不上证书",
        "第 5 行“服务器地址”：“http://a”不加密，居民的记录会明文传送；请改成 https://，确实只能这样就在“明文连接”填“允许”",
        "第 5 行“明文连接”：只能填“允许”，现在是“是”",
        "第 5 行“标志”：找不到文件 gone.png",
        "第 5 行“小区”：楼栋表里有“丑”，这里没有写",
        "社区.xlsx“楼栋” 第 4 行“社区编号”：社区表里没有“ee”",
    ]
    missing = [sentence for sentence in wanted if not any(told.startswith(sentence) for told in found)]
    surplus = [told for told in found if not any(told.startswith(sentence) for sentence in wanted)]
    assert (missing, surplus) == ([], [])
    assert main([str(path)]) == 1
    assert f"一共 {len(found)} 处要改，什么都没有做。" in capsys.readouterr().err


def test_a_table_with_other_columns_is_not_guessed_at(tmp_path: Path) -> None:
    path = table(tmp_path / "a.xlsx", ("aa", "甲", "甲"), heading=("编号", "名称", "服务器", "名称"))
    assert mistakes(path) == [
        "a.xlsx“社区”：缺“服务器地址”这一列（表头在第一行）",
        "a.xlsx“社区”：“名称”这一列有两列",
        f"a.xlsx“社区”：不认识“服务器”这一列；可以有的列：{'、'.join(COLUMNS)}",
        "a.xlsx“社区” 第 2 行“服务器地址”：没有填",
    ]
    assert mistakes(table(tmp_path / "b.xlsx")) == ["b.xlsx“社区”：一个社区也没有"]


GOOD = 'id = "aa"\nname = "甲"\nservers = ["https://a"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id = ", "读不出来"),
        ('id = "aa"\nname = "甲"\nserver = "https://a"\n', "不认识 server"),
        ('id = "server"\nname = "甲"\nservers = ["https://a"]\n', "“server”留给服务器的安装包"),
        (GOOD + 'enroll = "code.json"\n', "不认识 enroll"),  # no file that could hold a secret
        ('id = "aa"\nname = "甲"\nservers = "https://a"\n', "“servers”：填得不对"),
        (
            GOOD.replace("https", "http"),
            "“http://a”不加密，居民的记录会明文传送；请改成 https://，确实只能这样就写上 plain_http = true",
        ),
        (GOOD.replace("https", "http") + "plain_http = false\n", "“http://a”不加密"),
        (GOOD + 'plain_http = "no"\n', "“plain_http”：只能是 true 或 false"),
        (GOOD + "logo = 3\n", "“logo”：应该是文件名"),
        (GOOD + "buildings = 3\n", "“buildings”：应该是楼栋表的文件名"),
        (GOOD + "building = 3\n", "“building”：应该写成 [[building]]"),
        (GOOD + 'modules = ["x"]\n', "不认识“x”"),
        (GOOD + "[[building]]\nflors = 6\n", "不认识 flors"),
        (
            GOOD + '[[building]]\ncompound = "子"\nname = "1"\nfloors = 6\nrooms = 2\nmissing = ["901"]\n',
            "楼里没有 901 这个房号",
        ),
    ],
)
def test_a_data_file_with_a_mistake_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    assert any(told in sentence for sentence in mistakes(tmp_path / "a.toml"))


def test_a_file_of_another_sort_is_refused(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "a.xls") == ["a.xls：只认 .toml（一个社区）和 .xlsx（一张表，多个社区）"]
    assert mistakes(tmp_path / "a.toml") == ["a.toml：找不到这个文件"]
    assert mistakes(tmp_path / "a.xlsx") == ["a.xlsx：找不到这个文件"]
