"""One line stays one line, and rare characters stay as they were typed."""

import pytest

from sync.domain.lines import one_line


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  王 秀兰 ", "王 秀兰"),
        ("张\n三\r\n\t四", "张 三 四"),
        ("a\x00b\x07", "ab"),
        ("𠮷😀𪚥", "𠮷😀𪚥"),
        ("　全角　空格", "全角 空格"),
        (" \n ", ""),
    ],
)
def test_one_line(typed: str, kept: str) -> None:
    assert one_line(typed) == kept
