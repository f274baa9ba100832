"""Words for errors: what happened, what was kept, what to do next. The tables stand in ``desktop/words/``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from desktop.i18n import mark, tr
from desktop.words import bundle, keys, preset, rules, store, sync, trust
from sync.domain.calendar import CHINA
from sync.errors import (
    AccessError,
    KeysError,
    Offline,
    QiaomenError,
    Refused,
    RuleError,
    ServerTrouble,
    StoreError,
    SyncError,
    TrustError,
)

TABLE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {**rules.WORDS, **store.WORDS, **keys.WORDS, **sync.WORDS, **bundle.WORDS, **trust.WORDS, **preset.WORDS}
)

_UNKNOWN: Final = (
    mark("Something in the program went wrong"),
    mark("What you typed is kept. Try once more; if it stays so, copy the technical details for the support."),
)

# What is said when a code has no row of its own: at least whose matter it is.
_BY_KIND: Final[tuple[tuple[type[QiaomenError], tuple[str, str]], ...]] = (
    (RuleError, (mark("This can't be saved like that yet"), mark("Nothing was lost. Please look at what you typed."))),
    (
        AccessError,
        (mark("This is not open to you"), mark("Nothing was changed. Ask the secretary if you need it for your work.")),
    ),
    (KeysError, (mark("It did not open"), mark("Nothing was changed. Try once more, or use the recovery code."))),
    (
        TrustError,
        (mark("This is not as it was issued"), mark("Nothing of it was used. Ask for a fresh copy.")),
    ),
    (StoreError, (mark("It could not be saved"), mark("What you typed is kept as a draft. Try once more."))),
    (
        Offline,
        (mark("There is no line to the server just now"), mark("Everything is saved on this PC and goes out later.")),
    ),
    (
        Refused,
        (mark("The server did not take it"), mark("Nothing is lost. It is listed under Sync with what to change.")),
    ),
    (
        ServerTrouble,
        (mark("The server has trouble just now"), mark("Everything is saved on this PC; it is tried again by itself.")),
    ),
    (
        SyncError,
        (mark("The server did not take it"), mark("Nothing is lost. It is listed under Sync with what to change.")),
    ),
)


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence, what to do, and the technical part that is folded away; translated."""

    title: str
    advice: str
    details: str


class _Parameters(dict[str, Any]):
    """A placeholder without a value must not bring the message itself down."""

    def __missing__(self, key: str) -> str:
        return "…"


def words(error: BaseException) -> Words:
    """The words for an error in the language of the screen."""
    if not isinstance(error, QiaomenError):
        return Words(title=tr(_UNKNOWN[0]), advice=tr(_UNKNOWN[1]), details=type(error).__name__)
    # The file on this PC can be busy, too, and is spoken of in other words.
    code = "server_busy" if isinstance(error, ServerTrouble) and error.code == "busy" else error.code
    title, advice = TABLE.get(code) or _of_kind(error)
    filled = _Parameters(error.params)
    if isinstance(error, KeysError) and error.params.get("until"):
        filled["until"] = (
            datetime.fromtimestamp(int(error.params["until"]) / 1000, UTC).astimezone(CHINA).strftime("%H:%M")
        )
    return Words(
        title=tr(title).format_map(filled),
        advice=tr(advice).format_map(filled) if advice else "",
        details=_details(error),
    )


def code_words(code: str) -> Words:
    """The words for a code alone, as the history of syncs and the list of refused records keep it."""
    return words(SyncError(code))


def sentence(error: RuleError) -> str:
    """One sentence to stand beside a field."""
    return words(error).title


def _of_kind(error: QiaomenError) -> tuple[str, str]:
    return next((pair for kind, pair in _BY_KIND if isinstance(error, kind)), _UNKNOWN)


def _details(error: QiaomenError) -> str:
    field = f" field={error.field}" if isinstance(error, RuleError) else ""
    values = "".join(f" {name}={value}" for name, value in sorted(error.params.items()))
    return f"{type(error).__name__} {error.code}{field}{values}"
