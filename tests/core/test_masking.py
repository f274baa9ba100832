import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.masking import mask_name, mask_phone, public_print_findings, require_public
from sync.errors import RuleError


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13712346621", "137****6621"),
        (" 137 1234 6621 ", "137****6621"),
        ("１３７１２３４６６２１", "137****6621"),
        ("+86 137-1234-6621", "137****6621"),
        ("0537-3412345", "****2345"),
        ("3412345", "****2345"),
        ("110", "***"),
        ("找门卫", "***"),
        ("", ""),
    ],
)
def test_phones(phone, shown):
    assert mask_phone(phone) == shown


@given(st.from_regex(r"1[3-9]\d{9}", fullmatch=True))
def test_four_digits_of_a_mobile_number_are_never_shown(phone):
    assert len(mask_phone(phone)) == 11
    assert mask_phone(phone).count("*") == 4
    assert public_print_findings(f"请拨打{phone}。") == ("mobile_number",)
    assert public_print_findings(mask_phone(phone)) == ()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王秀兰", "王**"),
        ("王芳", "王**"),
        ("欧阳建国", "欧阳**"),
        ("欧阳", "欧**"),
        ("𠮷田一郎", "𠮷**"),
        ("阿依古丽·买买提", "阿**"),
        ("", ""),
    ],
)
def test_names(name, shown):
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("3号楼电梯周六检修，请走楼梯。", ()),
        ("2026-03-10 09:00 至 2026-03-11 18:00 停水", ()),
        ("物业电话 0537-3412345，热线 12345", ()),
        ("联系人王秀兰 137 1234 6621", ("mobile_number", "full_name")),
        ("2026-03-10 13712346621", ("mobile_number",)),
        ("１３７１２３４６６２１", ("mobile_number",)),
        ("身份证 11010519491231002X", ("id_number",)),
        ("身份证110105 1949 1231 002x", ("id_number", "mobile_number")),  # rather too much than too little
        ("编号 1371234662199 共十三位", ()),
        ("王**", ()),
    ],
)
def test_a_public_print_carries_no_personal_data(text, findings):
    assert public_print_findings(text, names=("王秀兰", "")) == findings


def test_a_public_print_is_refused_with_its_field():
    assert require_public("大家好") == "大家好"
    with pytest.raises(RuleError) as refused:
        require_public("电话13712346621", field="notice")
    assert (refused.value.field, refused.value.code) == ("notice", "mobile_number_in_public")
    with pytest.raises(RuleError) as refused:
        require_public("李强", names=["李强"])
    assert refused.value.code == "full_name_in_public"
