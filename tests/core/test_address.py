import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.address import (
    LONGEST,
    MOST_ROOMS,
    RoomRef,
    building_key,
    canonical,
    parse_range,
    parse_room,
    room_in_building,
    room_label,
    unit_key,
)
from sync.errors import RuleError

THE_ROOM = RoomRef("3", "2", 5, "501")


@pytest.mark.parametrize(
    "spelling",
    [
        "3-2-501",
        "３－２－５０１",  # full width
        "3号楼二单元501室",
        "三号楼二单元五〇一室",
        "三号楼二单元五零一",
        "3幢2单元501",
        "3栋2单元501户",
        "3座2单元501",
        "3号楼2门501",
        "3号2单元501",
        "3#2-501",
        "3＃楼2单元501室",
        "3栋2-501",
        "3-2单元-501",
        "3号楼 2单元 501",
        "3号楼，2单元，501室",
        "03-02-0501",
        "3/2/501",
        "3.2.501",
        "3—2—501",
        "3——2——501",
        "3 2 501",
        "３　２　５０１",
        "3~2~501",
        "3号楼2单元5层01室",
        "3号楼2单元五楼501",
        "3-2-5层501",
        "幸福里小区3号楼2单元501室",
        "东城社区三号楼2单元501",
        "幸福里3号楼2单元501",
        " 3-2-501号 ",
        "٣-٢-٥٠١",
    ],
)
def test_spellings_of_one_room(spelling):
    assert parse_room(spelling) == THE_ROOM
    assert canonical(parse_room(spelling)) == "3-2-501"


@pytest.mark.parametrize(
    ("text", "expected", "written"),
    [
        ("A座1201", RoomRef("A", None, 12, "1201"), "A-1201"),
        ("Ａ座１２０１室", RoomRef("A", None, 12, "1201"), "A-1201"),
        ("a1201", RoomRef("A", None, 12, "1201"), "A-1201"),
        ("A座", RoomRef("A"), "A座"),
        ("A座 12层 01室", RoomRef("A", None, 12, "1201"), "A-1201"),
        ("B101", RoomRef("B", None, 1, "101"), "B-101"),
        ("B101室", RoomRef(None, None, -1, "B101"), "B101室"),
        ("3号楼负1层", RoomRef("3", None, -1), "3号楼负1层"),
        ("负一层", RoomRef(None, None, -1), "负1层"),
        ("B1层", RoomRef(None, None, -1), "负1层"),
        ("B1", RoomRef("B1"), "B1号楼"),  # without a word it is a building
        ("负1", RoomRef(None, None, None, "B1"), "B1室"),
        ("地下1层05室", RoomRef(None, None, -1, "B105"), "B105室"),
        ("3号楼2单元负1层03室", RoomRef("3", "2", -1, "B103"), "3-2-B103"),
        ("3-2-负101", RoomRef("3", "2", -1, "B101"), "3-2-B101"),
        ("3-2--101", RoomRef("3", "2", -1, "B101"), "3-2-B101"),
        ("3号楼2单元负1层101", RoomRef("3", "2", -1, "B101"), "3-2-B101"),
        ("3号楼无单元501", RoomRef("3", None, 5, "501"), "3-501"),
        ("3-0-501", RoomRef("3", None, 5, "501"), "3-501"),
        ("3-501", RoomRef("3", None, 5, "501"), "3-501"),
        ("3栋501", RoomRef("3", None, 5, "501"), "3-501"),
        ("501", RoomRef(None, None, 5, "501"), "501"),
        ("501室", RoomRef(None, None, 5, "501"), "501"),
        ("五〇一室", RoomRef(None, None, 5, "501"), "501"),
        ("2单元501", RoomRef(None, "2", 5, "501"), "2单元501"),
        ("2单元", RoomRef(None, "2"), "2单元"),
        ("2单元12室", RoomRef(None, "2", None, "12"), "2单元12"),
        ("3号楼", RoomRef("3"), "3号楼"),
        ("3", RoomRef("3"), "3号楼"),
        ("3-2", RoomRef("3", "2"), "3号楼2单元"),
        ("A座2单元", RoomRef("A", "2"), "A座2单元"),
        ("三楼", RoomRef(None, None, 3), "3层"),
        ("3号楼5层", RoomRef("3", None, 5), "3号楼5层"),
        ("3-2-5层", RoomRef("3", "2", 5), "3-2-5层"),
        ("十二号楼一单元1203", RoomRef("12", "1", 12, "1203"), "12-1-1203"),
        ("二十一栋二〇〇三", RoomRef("21", None, 20, "2003"), "21-2003"),
        ("一百零二号楼1单元101", RoomRef("102", "1", 1, "101"), "102-1-101"),
        ("东单元301", RoomRef(None, "东", 3, "301"), "东单元301"),
        ("3-东-301", RoomRef("3", "东", 3, "301"), "3-东-301"),
        ("3-2-501a", RoomRef("3", "2", 5, "501A"), "3-2-501A"),
        ("3-2-12", RoomRef("3", "2", None, "12"), "3-2-12"),
        ("3-负10", RoomRef("3", None, None, "B10"), "3号楼B10室"),
        ("12室", RoomRef(None, None, None, "12"), "12室"),
        ("3号楼12室", RoomRef("3", None, None, "12"), "3号楼12室"),
        ("3-2-10501", RoomRef("3", "2", 105, "10501"), "3-2-10501"),
    ],
)
def test_places(text, expected, written):
    assert parse_room(text) == expected
    assert canonical(expected) == written
    assert parse_room(written) == expected


def test_inside_a_building_two_parts_are_unit_and_room():
    assert parse_room("2-501", building="3号楼") == THE_ROOM
    assert parse_room("501", building="3") == RoomRef("3", None, 5, "501")
    assert parse_room("4-2-501", building="3") == RoomRef("4", "2", 5, "501")  # who says more means it
    assert parse_room("2-501") == RoomRef("2", None, 5, "501")


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "   ",
        "abc",
        "找不到",
        "王秀兰",
        "--",
        "-",
        "负",
        "座",
        "单元501",
        "0层3室",  # no house has a floor 0
        "0单元",
        "无单元",
        "3-2-501-504",
        "11-2-3-4",
        "99999999",
        "3-2-501室室",
        "3号楼2单元501至504",
        "13712346621",
        "𠮷",
        "3" * (LONGEST + 1),
        "-" * 10_000,
        "小区" * 5_000,
    ],
)
def test_junk_is_refused(junk):
    with pytest.raises(RuleError) as refused:
        parse_room(junk)
    assert (refused.value.field, refused.value.code) == ("room", "unreadable_address")


@pytest.mark.parametrize(
    "text",
    [
        "3-2-501至504",
        "3-2-501到504",
        "3-2-501~504",
        "3-2-501～504",
        "3-2-501-504",
        "3-2-501至04",
        "3-2-501至4",
        "3-2-501至3-2-504",
        "3号楼二单元501至504室",
        "3号楼二单元501室至504室",
        "3号楼二单元501-504室",
        "三号楼2单元五〇一至五〇四室",
    ],
)
def test_ranges(text):
    assert [canonical(ref) for ref in parse_range(text)] == ["3-2-501", "3-2-502", "3-2-503", "3-2-504"]


def test_ranges_of_other_shapes():
    assert parse_range("3-2-501") == (THE_ROOM,)
    assert parse_range("501-503", building="3")[-1] == RoomRef("3", None, 5, "503")
    assert parse_range("2-501至2-502", building="3")[-1] == RoomRef("3", "2", 5, "502")
    assert parse_range("2-501", building="3") == (THE_ROOM,)
    up = [ref.room for ref in parse_range("3-2-801至1101")]
    assert up == ["801", "901", "1001", "1101"]


@pytest.mark.parametrize(
    "text",
    [
        "3-2-504至501",
        "3-2-501至602",  # neither a floor nor a line of doors
        "3-2-501至3-3-504",
        "3-2-501A至503",
        "3-2-B101至B104",
        "3-2至504",
        "3-2-501至3号楼",
        f"3-2-101至{101 + 100 * MOST_ROOMS}",
    ],
)
def test_ranges_that_are_none(text):
    with pytest.raises(RuleError) as refused:
        parse_range(text)
    assert (refused.value.field, refused.value.code) == ("room", "bad_range")


@pytest.mark.parametrize("text", ["", "至", "至504", "3-2-501至", "~" * 1_000, "3-2-501至隔壁", "隔壁3-501"])
def test_unreadable_ranges(text):
    with pytest.raises(RuleError) as refused:
        parse_range(text)
    assert refused.value.code == "unreadable_address"


@pytest.mark.parametrize("name", ["3号楼", "3幢", "3栋", "3座", "3#", "3#楼", "三号楼", "０３号楼", "3", "3楼", "3号"])
def test_names_of_one_building(name):
    assert building_key(name) == "3"


def test_other_names_stay():
    assert building_key("A座") == building_key("a栋") == "A"
    assert building_key(" 综合楼 ") == "综合楼"


NAMES = st.from_regex(r"[1-9][0-9]{0,2}|[A-Z]|[A-Z][1-9]|[1-9][A-Z]", fullmatch=True)
UNITS = st.from_regex(r"[1-9][0-9]?|[A-Z]|[东西甲乙]", fullmatch=True)
ABOVE = st.builds(
    lambda f, n, a: (f, f"{f}{n:02d}{a}"), st.integers(1, 99), st.integers(0, 99), st.sampled_from(["", "A"])
)
BELOW = st.builds(lambda f, n: (-f, f"B{f}{n:02d}"), st.integers(1, 9), st.integers(0, 99))
SMALL = st.integers(1, 99).map(lambda n: (None, str(n)))
FLOORS = st.integers(-9, 99).filter(bool).map(lambda f: (f, None))


@given(st.none() | NAMES, st.none() | UNITS, ABOVE | BELOW | FLOORS)
def test_every_place_is_read_back(building, unit, place):
    ref = RoomRef(building, unit, *place)
    assert parse_room(canonical(ref)) == ref


@given(st.none() | NAMES, st.none() | UNITS, SMALL)
def test_every_small_number_is_read_back(building, unit, place):
    ref = RoomRef(building, unit, *place)
    assert parse_room(canonical(ref)) == ref


@given(
    NAMES,
    UNITS,
    ABOVE,
    st.sampled_from(["号楼", "幢", "栋", "座", "#"]),
    st.sampled_from(["单元", "门"]),
    st.sampled_from(["", "室", "户"]),
    st.sampled_from(["", " ", "　"]),
)
def test_every_spelling_of_a_place_is_the_same_place(building, unit, place, house, stairs, door, blank):
    spelled = f"{building}{house}{blank}{unit}{stairs}{blank}{place[1]}{door}"
    full_width = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in spelled)
    assert parse_room(spelled) == parse_room(full_width) == RoomRef(building, unit, *place)


@given(st.text(max_size=30))
def test_any_text_is_a_place_or_is_refused(text):
    for read in (parse_room, parse_range):
        try:
            found = read(text)
        except RuleError:
            continue
        assert found


@given(st.text(alphabet="0123AB-负号楼栋座单元层室无东 #", max_size=12))
def test_whatever_is_read_is_read_back(text):
    try:
        ref = parse_room(text)
    except RuleError:
        return
    assert parse_room(canonical(ref)) == ref


@pytest.mark.parametrize(
    ("parts", "label", "short"),
    [
        (("3号楼", "2", "501"), "3-2-501", "2-501"),
        (("3号楼", "二单元", "501"), "3-2-501", "2-501"),
        (("三栋", "十二单元", "501"), "3-12-501", "12-501"),
        (("A座", "", "1201"), "A-1201", "1201"),
        (("5号楼", "东门", "B101"), "5-东-B101", "东-B101"),
        (("综合楼", "", "商铺1"), "综合楼-商铺1", "商铺1"),
    ],
)
def test_a_room_is_written_the_same_way_everywhere(parts, label, short):
    assert room_label(*parts) == label
    assert room_in_building(*parts[1:]) == short


def test_a_unit_is_its_number():
    labels = ("一单元", "2单元", " 3 ", "二门", "东单元", "")
    assert [unit_key(label) for label in labels] == ["1", "2", "3", "2", "东", ""]
