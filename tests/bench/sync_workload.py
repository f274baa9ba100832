"""The one workload of all peers: household visits of twelve fields, the same for the same seed.

Written like the generator that the peers are measured with, so that all carry the same texts; ``visit`` says how such a
record stands in this program's own kind.
"""

import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sync.domain.operations import Values

Record = dict[str, Any]
SEED = 20261123
HOUSEHOLDS = 3_000
_PURPOSES = [
    "welfare_check",
    "safety_inspection",
    "subsidy",
    "mediation",
    "census",
    "elder_care",
    "complaint",
    "fire_check",
]
_OUTCOMES = ["met", "not_home", "refused", "follow_up", "referred", "resolved"]
_COLOURS = ["green", "yellow", "orange", "red"]
_PHRASES = [
    "老人独居在家",
    "精神状态良好",
    "血压偏高",
    "需要定期送药",
    "子女在外地工作",
    "每周电话联系一次",
    "楼道堆放杂物",
    "已当面劝导清理",
    "燃气软管老化",
    "建议尽快更换",
    "低保材料已收齐",
    "待街道审核",
    "邻里噪音纠纷",
    "双方已口头和解",
    "孩子暑期无人看护",
    "已介绍社区托管班",
    "租客未登记",
    "已补录身份信息",
    "电动车进楼充电",
    "已告知火灾风险",
    "残疾证即将到期",
    "协助预约换证",
    "家中漏水",
    "已联系物业上门",
    "希望加装扶手",
    "已记录需求",
    "近期住院",
    "出院后需要复查",
    "就业意愿强烈",
    "推荐参加技能培训",
    "养犬未办证",
    "下周再次上门",
]
_LETTERS = "".join(sorted(set("".join(_PHRASES)))) + (
    "张王李赵陈刘杨黄周吴徐孙胡朱高林何郭马罗东南西北前后左右一二三四五六七八九十单元号楼室层门口上下午早晚今明昨天月日年时分"
)
_OUTCOME_HERE = dict(
    zip(_OUTCOMES, ("met", "no_answer", "refused", "by_appointment", "moved_away", "vacant"), strict=True)
)
_BAND_HERE = dict(zip(_COLOURS, ("morning", "afternoon", "evening", "weekend"), strict=True))


def generate(count: int = 20_000, edits: int = 500, *, seed: int = SEED) -> tuple[list[Record], list[Record]]:
    """So many visits, and how some of them stand after an edit of result, note, colour and time."""
    chance = random.Random(seed)
    households = [_id(chance) for _ in range(HOUSEHOLDS)]
    visitors = [_id(chance) for _ in range(120)]
    records = []
    for n in range(count):
        visited = _stamp(chance, n * 330 // count)
        records.append(
            {
                "id": _id(chance),
                "household_id": chance.choice(households),
                "visitor_id": chance.choice(visitors),
                "visited_at": visited,
                "purpose": chance.choice(_PURPOSES),
                "outcome": chance.choice(_OUTCOMES),
                "notes": _note(chance),
                "need_colour": chance.choices(_COLOURS, (60, 25, 10, 5))[0],
                "follow_up_date": f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
                if chance.random() < 0.4
                else None,
                "created_at": visited,
                "updated_at": visited,
                "deleted": False,
            }
        )
    changed = []
    for record in chance.sample(records, edits):
        edit = dict(record)
        edit["outcome"] = chance.choice(_OUTCOMES)
        edit["notes"] = _note(chance)
        edit["need_colour"] = chance.choice(_COLOURS)
        edit["updated_at"] = _stamp(chance, 4).replace("2026", "2027")
        changed.append(edit)
    return records, changed


def places_of(records: Sequence[Record], homes: Sequence[tuple[str, str]]) -> Mapping[str, tuple[str, str]]:
    """The generator's household → one of ``homes`` (household id, building id) that exists here."""
    named = dict.fromkeys(record["household_id"] for record in records)
    return {name: homes[at % len(homes)] for at, name in enumerate(named)}


def visit(record: Record, *, place: tuple[str, str], author: str) -> Values:
    """The fields of one visit here: the same twelve facts, id and time of change being the operation's own."""
    household, building = place
    at = datetime.strptime(record["visited_at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return {
        "household_id": household,
        "building_id": building,
        "visited_on": record["visited_at"][:10],
        "visitor_ids": [record["visitor_id"]],
        "reasons": [record["purpose"]],
        "outcome": _OUTCOME_HERE[record["outcome"]],
        "note": record["notes"],
        "time_band": _BAND_HERE[record["need_colour"]],
        "next_due_on": record["follow_up_date"],
        "recorded_by": author,
        "recorded_at": int(at.timestamp() * 1000),
    }


def edit(record: Record) -> Values:
    """What an edit changes here."""
    return {
        "outcome": _OUTCOME_HERE[record["outcome"]],
        "note": record["notes"],
        "time_band": _BAND_HERE[record["need_colour"]],
    }


def _note(chance: random.Random, length: int = 60) -> str:
    text = ""
    while len(text) < length:
        if chance.random() < 0.6:
            text += chance.choice(_PHRASES) + chance.choice("，。；")
        else:  # names, places, numbers
            text += "".join(chance.choice(_LETTERS) for _ in range(chance.randint(3, 8))) + chance.choice("，。")
    return text[:length]


def _id(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _stamp(chance: random.Random, day: int) -> str:
    hour, minute, second = chance.randint(0, 23), chance.randint(0, 59), chance.randint(0, 59)
    month, of_month = 1 + day // 28 % 12, 1 + day % 28
    return f"2026-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}.{chance.randint(0, 999):03}Z"
