from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain import idcard
from sync.errors import RuleError

VALID = ["11010519491231002X", "440524188001010014"]  # the standard's own examples, widely published


@pytest.mark.parametrize("number", VALID)
def test_valid_numbers(number):
    assert idcard.validate(number) == number


def test_birth_dates():
    assert idcard.birth_date(VALID[0]) == "1949-12-31"
    assert idcard.birth_year(VALID[1]) == 1880


@pytest.mark.parametrize(
    "typed", ["11010519491231002x", " 110105 19491231 002x ", "１１０１０５１９４９１２３１００２Ｘ"]
)
def test_it_is_read_as_people_type_it(typed):
    assert idcard.validate(typed) == VALID[0]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("110105194912310021", "bad_id_check"),
        ("11010519491231002", "bad_id_length"),
        ("1101051949123100201", "bad_id_length"),
        ("11010519491231002Y", "bad_id_length"),
        ("X1010519491231002X", "bad_id_length"),
        ("1101051949123100٢X", "bad_id_length"),
        ("", "bad_id_length"),
        ("110105194902310020", "bad_id_birth_date"),
        ("一一〇一〇五一九四九一二三一〇〇二X", "bad_id_length"),
    ],
)
def test_what_is_wrong_is_told_apart(number, code):
    with pytest.raises(RuleError) as refused:
        idcard.birth_year(number)
    assert refused.value.code == code


@given(
    st.integers(110000, 659999),
    st.dates(min_value=date(1900, 1, 1)),
    st.integers(0, 999),
    st.integers(0, 16),
    st.integers(1, 9),
)
def test_every_single_wrong_digit_is_noticed(area, born, serial, place, shift):
    first = f"{area}{born:%Y%m%d}".rjust(14, "0")[:14] + f"{serial:03d}"
    number = first + idcard.check_character(first)
    assert idcard.validate(number) == number
    wrong = list(number)
    wrong[place] = str((int(wrong[place]) + shift) % 10)
    with pytest.raises(RuleError):
        idcard.validate("".join(wrong))
