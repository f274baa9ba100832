import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.plain_text import clean_text, is_clean
from sync.errors import RuleError


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("王秀英", "王秀英"),
        ("陈𬱖 𠮷田", "陈𬱖 𠮷田"),
        ("e\u0301", "é"),
        ("两行\n文字\t", "两行\n文字\t"),
        ("", ""),
    ],
)
def test_text_has_one_form(text: str, clean: str) -> None:
    assert clean_text("note", text) == clean
    assert is_clean(text) == (text == clean)


@pytest.mark.parametrize("text", ["a\0b", "é\0", "好\ud800好", "\udfff"])
def test_what_cannot_be_stored_everywhere_is_refused(text: str) -> None:
    assert not is_clean(text)
    with pytest.raises(RuleError, match="bad_text"):
        clean_text("note", text)


@given(st.text(st.characters(), max_size=20))
def test_clean_text_stays_clean_and_can_be_sent(text: str) -> None:
    try:
        clean = clean_text("note", text)
    except RuleError:
        assert not is_clean(text)
        return
    assert is_clean(clean)
    assert clean_text("note", clean) == clean
    assert msgspec.json.decode(msgspec.json.encode(clean)) == clean


@given(st.lists(st.text(max_size=3)))
def test_texts_may_be_looked_at_together(texts: list[str]) -> None:
    assert is_clean("\n".join(texts)) == all(map(is_clean, texts))
