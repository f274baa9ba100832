"""Invented names, rare characters among them, and telephone numbers that nobody has."""

from random import Random

_SURNAMES = (
    *"王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金",
    *"石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤解单仇区查乐盖",
)
_COMPOUND_SURNAMES = ("欧阳", "上官", "司马", "诸葛", "夏侯", "尉迟", "令狐", "皇甫", "东方", "单于")
_RARE_SURNAMES = ("𠮷", "㛃", "亓", "郗", "禤", "璩", "逄", "麴")
_MALE = (
    *("建国", "志强", "伟", "磊", "军", "勇", "涛", "明", "国庆", "建军", "海涛", "振华", "立新", "德胜", "长青"),
    *("晓东", "俊杰", "浩然", "子轩", "宇航", "文博", "家豪", "天佑", "鹏飞", "云龙", "永福", "保国", "玉山"),
    *("金生", "有才", "学文", "广志", "兆丰", "洪亮", "思远", "景行"),
)
_FEMALE = (
    *("秀英", "桂兰", "玉珍", "凤霞", "淑华", "丽", "敏", "静", "芳", "娟", "红梅", "秀云", "桂花", "爱华", "春燕"),
    *("雪", "婷", "倩", "欣怡", "梓涵", "雨桐", "诗琪", "佳慧", "晓梅", "海霞", "玉兰", "翠萍", "素芬", "美玲"),
    *("若兰", "嘉怡", "慧敏", "月娥", "银环", "喜凤", "冬梅"),
)
# Level 3 of GB 18030: boxes on a PC with poor fonts; they must come through search, screen and print.
_RARE_GIVEN = ("𬱖", "𬀩", "㛃", "𬭛", "䶮", "𪟝", "喆", "玥彤", "𠅤", "𬘭", "龘", "堃", "甡", "珺璟", "𦒍")
_RARE_SHARE = 0.012


def person(chance: Random, *, surname: str = "", sex: str = "") -> tuple[str, str]:
    """(name, sex) of somebody invented; one in eighty has a rare character or a compound surname."""
    sex = sex or ("male" if chance.random() < 0.5 else "female")
    draw = chance.random()
    if not surname:
        if draw < _RARE_SHARE / 2:
            surname = _RARE_SURNAMES[int(chance.random() * len(_RARE_SURNAMES))]
        elif draw < 2 * _RARE_SHARE:
            surname = _COMPOUND_SURNAMES[int(chance.random() * len(_COMPOUND_SURNAMES))]
        else:
            # The commonest come first in the list; squaring makes them common here, too.
            surname = _SURNAMES[int(chance.random() ** 2 * len(_SURNAMES))]
    given: tuple[str, ...] = _MALE if sex == "male" else _FEMALE
    if chance.random() < _RARE_SHARE:
        given = _RARE_GIVEN
    return surname + given[int(chance.random() * len(given))], sex


def surname_of(name: str) -> str:
    """The family name at the head of a name."""
    return name[:2] if name[:2] in _COMPOUND_SURNAMES else name[:1]


def phone(chance: Random) -> str:
    """A mobile number of the right shape in a block (000) that is given to nobody."""
    number = int(chance.random() * 1_000_000)
    return f"13{number // 100_000}000{number % 100_000:05d}"
