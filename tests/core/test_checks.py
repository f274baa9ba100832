"""The check of a row changes with every version of any of its registers, and with nothing else."""

from sync.domain.checks import row_check

ROW = (5 << 16, 7)
LATER = (6 << 16, 7)


def test_a_check_is_a_number_of_forty_bits() -> None:
    assert 0 <= row_check("a", ROW, {}) < 2**40


def test_every_version_has_a_check_of_its_own() -> None:
    checks = {
        row_check("a", ROW, {}),
        row_check("b", ROW, {}),
        row_check("a", LATER, {}),
        row_check("a", (5 << 16, 8), {}),
        row_check("a", ROW, {"note": LATER}),
        row_check("a", ROW, {"phone": LATER}),
        row_check("a", ROW, {"note": LATER, "phone": LATER}),
    }
    assert len(checks) == 7


def test_a_register_that_has_the_clock_of_the_row_may_be_named_or_not() -> None:
    assert row_check("a", ROW, {"note": ROW}) == row_check("a", ROW, {})


def test_the_order_of_the_registers_does_not_matter() -> None:
    one = row_check("a", ROW, {"note": LATER, "phone": (7 << 16, 1)})
    assert one == row_check("a", ROW, {"phone": (7 << 16, 1), "note": LATER})
