from pathlib import Path

import pytest

from sync.domain.categories import load_demand_categories, load_dispute_categories, offered_to_heads
from sync.domain.kinds import demands, disputes
from sync.errors import RuleError

RULES = Path(__file__).resolve().parents[2] / "resources" / "rules"
DEMANDS_TEXT = (RULES / "demand_categories.toml").read_text(encoding="utf-8")
DEMANDS = load_demand_categories(DEMANDS_TEXT)
DISPUTES = load_dispute_categories((RULES / "dispute_categories.toml").read_text(encoding="utf-8"))
JUSTICE = {
    "婚姻家庭",
    "邻里",
    "房屋宅基地",
    "合同",
    "生产经营",
    "损害赔偿",
    "山林土地",
    "征地拆迁",
    "环境污染",
    "劳动争议",
    "消费",
    "物业",
    "其他",
}


def test_the_tables_hold_the_codes_of_the_records():
    assert tuple(category.code for category in DEMANDS.category) == demands.CATEGORIES
    assert tuple(category.code for category in DISPUTES.category) == disputes.CATEGORIES
    assert {category.urgency for category in DEMANDS.category} <= set(demands.URGENCIES)
    assert {sign.urgency for category in DEMANDS.category for sign in category.signs} <= set(demands.URGENCIES)


def test_three_categories_are_sensitive():
    assert [category.code for category in DEMANDS.category if category.sensitive] == ["08", "10", "11"]


@pytest.mark.parametrize(
    ("code", "ticked", "expected"),
    [
        ("01", (), ("coordinated", False)),
        ("02", (), ("coordinated", False)),
        ("02", ("outage",), ("urgent", False)),
        ("03", ("trapped",), ("urgent", True)),
        ("05", ("trapped",), ("routine", False)),
        ("06", (), ("urgent", False)),
        ("11", ("food_or_shelter",), ("urgent", False)),
        ("99", (), ("routine", False)),
    ],
)
def test_the_urgency_a_form_starts_with(code, ticked, expected):
    assert DEMANDS[code].start_urgency(ticked) == expected


def test_heads_are_offered_what_is_theirs():
    assert offered_to_heads(DISPUTES) == ("01", "02", "04", "05", "06", "99")
    only_transfer = [category.code for category in DISPUTES.category if category.transfer_only]
    assert only_transfer == [str(code) for code in range(10, 17)]


def test_every_dispute_has_its_class_in_the_justice_table():
    for category in DISPUTES.category:
        for code in ("", *(sub.code for sub in category.subcategories)):
            assert category.justice_label(code) in JUSTICE
            assert code.startswith(category.code) or not code
    assert DISPUTES["04"].justice_label("0402") == "物业"
    assert DISPUTES["04"].justice_label("0403") == "房屋宅基地"


def test_an_unknown_code_is_refused():
    with pytest.raises(RuleError) as refused:
        DEMANDS["77"]
    assert (refused.value.field, refused.value.code) == ("category", "unknown_category")


@pytest.mark.parametrize(
    "text",
    [
        "version =",
        "version = '1'",
        "version = '1'\ncategory = []",
        DEMANDS_TEXT.replace('code = "02"', 'code = "01"'),
        DEMANDS_TEXT.replace('urgency = "routine"', "urgency = 3"),
        DEMANDS_TEXT.replace("sensitive", "senstive"),
    ],
)
def test_a_damaged_table_is_refused(text):
    with pytest.raises(RuleError) as refused:
        load_demand_categories(text)
    assert refused.value.code == "unreadable_rules"
