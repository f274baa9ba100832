"""Search terms: what finds a resident, what a query asks, and that the two meet in the real index."""

import runpy
from pathlib import Path

import pytest
import sqlcipher3
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domain.search_terms import (
    READINGS_AT_MOST,
    Pinyin,
    match_string,
    name_terms,
    normal_form,
    phone_terms,
    resident_terms,
    room_terms,
)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "resources" / "pinyin"


@pytest.fixture(scope="module")
def pinyin() -> Pinyin:
    return Pinyin.from_folder(FOLDER)


class Index:
    """The full-text table as the store declares it, in memory."""

    def __init__(self) -> None:
        self.rows = sqlcipher3.connect(":memory:")
        self.rows.execute(
            "CREATE VIRTUAL TABLE found USING fts5(t, content='', contentless_delete=1, detail=none, "
            "prefix='1 2 3', tokenize=\"unicode61 tokenchars '-'\")"
        )

    def add(self, number: int, terms: tuple[str, ...]) -> None:
        self.rows.execute("INSERT INTO found(rowid, t) VALUES (?, ?)", (number, " ".join(terms)))

    def search(self, query: str) -> list[int]:
        match = match_string(query)
        if not match:
            return []
        return [row[0] for row in self.rows.execute("SELECT rowid FROM found WHERE found MATCH ?", (match,))]


def test_a_name_is_found_by_each_suffix_of_name_pinyin_and_initials(pinyin: Pinyin) -> None:
    assert name_terms("张伟国", pinyin=pinyin) == (
        *("张伟国", "伟国", "国"),
        *("zhangweiguo", "weiguo", "guo"),
        *("zwg", "wg", "g"),
    )


@pytest.mark.parametrize(
    ("surname", "as_surname", "as_word"),
    [
        ("曾", "zeng", "ceng"),
        ("单", "shan", "dan"),
        ("解", "xie", "jie"),
        ("仇", "qiu", "chou"),
        ("区", "ou", "qu"),
        ("翟", "zhai", "di"),
        ("覃", "qin", "tan"),
        ("朴", "piao", "pu"),
        ("查", "zha", "cha"),
        ("盖", "ge", "gai"),
        ("乐", "yue", "le"),
        ("缪", "miao", "mou"),
        ("种", "chong", "zhong"),
        ("秘", "bi", "mi"),
        ("员", "yun", "yuan"),
    ],
)
def test_a_surname_is_found_by_both_readings(pinyin: Pinyin, surname: str, as_surname: str, as_word: str) -> None:
    terms = name_terms(surname + "明", pinyin=pinyin)
    assert as_surname + "ming" in terms
    assert as_word + "ming" in terms


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("单于秀", ("chan", "yu", "xiu")),
        ("尉迟恭", ("yu", "chi", "gong")),
        ("万俟卨", ("mo", "qi", "xie")),
        ("令狐冲", ("ling", "hu", "chong")),
        ("欧阳修", ("ou", "yang", "xiu")),
        ("单于", ("chan", "yu")),
    ],
)
def test_a_compound_surname_is_read_as_such_first(pinyin: Pinyin, name: str, reading: tuple[str, ...]) -> None:
    assert pinyin.readings(name)[0] == reading


def test_a_given_name_may_be_read_in_two_ways(pinyin: Pinyin) -> None:
    assert pinyin.initials("王乐") == ("wl", "wy")
    assert {"wangsheng", "wangcheng"} <= set(name_terms("王晟", pinyin=pinyin))


def test_a_name_has_six_readings_at_most(pinyin: Pinyin) -> None:
    assert len(pinyin.readings("单行长乐")) == READINGS_AT_MOST
    assert len(pinyin.readings("单于长乐行")) == READINGS_AT_MOST


def test_characters_beyond_the_first_plane_count_as_one(pinyin: Pinyin) -> None:
    assert name_terms("陈𬱖", pinyin=pinyin)[:2] == ("陈𬱖", "𬱖")
    # Nobody has a reading for this one: it is found by itself and by the rest.
    assert name_terms("𠮷田", pinyin=pinyin) == ("𠮷田", "田", "tian", "t")
    assert pinyin.readings("𠮷田") == (("", "tian"),)


def test_names_of_other_scripts_are_found_by_word(pinyin: Pinyin) -> None:
    terms = name_terms("阿依古丽·买买提", pinyin=pinyin)
    assert {"阿依古丽买买提", "买买提", "aygl" + "mmt", "maimaiti"} <= set(terms)
    assert name_terms("John Smith", pinyin=pinyin) == ("johnsmith", "smith", "js", "s")
    assert name_terms("王Anna", pinyin=pinyin) == ("王anna", "anna", "wanganna", "wa", "a")


def test_umlaut_is_v(pinyin: Pinyin) -> None:
    assert "lv" in name_terms("吕", pinyin=pinyin)
    assert match_string("LÜ") == match_string("lu\u0308") == '"lv"*'


def test_no_name_has_no_terms(pinyin: Pinyin) -> None:
    assert name_terms(" · ", pinyin=pinyin) == ()
    assert pinyin.readings("") == ((),)


def test_a_phone_is_found_by_the_whole_the_last_eight_and_the_last_four() -> None:
    assert phone_terms("138 1234-５678") == ("13812345678", "12345678", "5678")
    assert phone_terms("12345678") == ("12345678", "5678")
    assert phone_terms("110") == ("110",)
    assert phone_terms("无") == ()


def test_a_room_is_found_from_each_part_on() -> None:
    assert room_terms(building="3", unit="2", room="501") == ("3-2-501", "2-501", "501")
    assert room_terms(building="12A", unit="", room="Ｂ01") == ("12a-b01", "b01")


def test_a_query_needs_each_piece() -> None:
    assert match_string("  张  501 ") == '"张"* "501"*'
    assert match_string("３－２—") == '"3-2-"*'
    assert match_string("--3") == '"3"*'
    assert match_string("— \" ' *") == ""
    assert match_string('a" OR b:NEAR(x)*') == '"a"* "or"* "b"* "near"* "x"*'


@pytest.fixture(scope="module")
def index(pinyin: Pinyin) -> Index:
    index = Index()
    people = [
        ("张伟国", "13812345678", "3", "2", "501"),
        ("曾小红", "13987652358", "3", "", "502"),
        ("陈𬱖", "", "30", "1", "101"),
        ("阿依古丽·买买提", "057188886666", "4", "1", "501"),
    ]
    for number, (name, phone, building, unit, room) in enumerate(people, 1):
        terms = resident_terms(name=name, phones=[phone], building=building, unit=unit, room=room, pinyin=pinyin)
        index.add(number, terms)
    return index


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("张", [1]),
        ("伟国", [1]),
        ("zwg", [1]),
        ("weig", [1]),
        ("zeng", [2]),
        ("ceng", [2]),
        ("2358", [2]),
        ("501", [1, 4]),
        ("张 501", [1]),
        ("3-", [1, 2]),
        ("3-2-5", [1]),
        ("z 3-", [1, 2]),
        ("𬱖", [3]),
        ("陈𬱖", [3]),
        ("88886", [4]),
        ("阿依古丽·买", [4]),
        ("阿依古丽买买提", [4]),
        ("李", []),
        ("·", []),
    ],
)
def test_the_index_answers(index: Index, query: str, found: list[int]) -> None:
    assert index.search(query) == found


@given(st.text(max_size=20))
@settings(max_examples=300)
def test_any_input_is_a_legal_query(query: str) -> None:
    index = Index()
    index.search(query)


def test_no_character_inside_a_word_makes_a_query_illegal() -> None:
    index = Index()
    for point in (
        *range(0x80, 0x3400),
        *range(0x4DB0, 0x4E00),
        *range(0x9FA0, 0xD800),
        *range(0xF900, 0x20000),
    ):
        index.search(f"a{chr(point)}a")


@given(st.text(max_size=12))
def test_the_normal_form_stays_as_it_is(text: str) -> None:
    assert normal_form(normal_form(text)) == normal_form(text)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=4))
@settings(max_examples=50)
def test_a_chinese_name_is_found_by_any_of_its_suffixes(pinyin: Pinyin, name: str) -> None:
    index = Index()
    index.add(7, name_terms(name, pinyin=pinyin))
    assert all(index.search(name[start:]) == [7] for start in range(len(name)))
    assert all(index.search(initials) == [7] for initials in pinyin.initials(name))


def test_the_baked_table_is_what_the_script_bakes(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "packaging" / "bake_pinyin.py"))
    script["main"]([str(tmp_path / "readings.txt")])
    assert (tmp_path / "readings.txt").read_bytes() == (FOLDER / "readings.txt").read_bytes()


def test_the_script_leaves_out_what_has_no_letters() -> None:
    script = runpy.run_path(str(ROOT / "packaging" / "bake_pinyin.py"))
    text = script["table_text"]({ord("女"): "nǚ,rǔ", ord("x"): "", 0xF900: "qǐ"})
    assert text.removeprefix(script["HEADER"]) == "nv\t女\n"
