"""What the server counts of itself, for Prometheus: numbers by endpoint and code; no names, no ids.

With several workers each counts in files of its own in a folder that PROMETHEUS_MULTIPROC_DIR names, and whichever is
asked adds all of them up. The variable has to be there before this module is imported.
"""

import os
from collections.abc import Callable, Iterator

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from sync.wire import Refusal

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = "text/plain; version=0.0.4"
_own = CollectorRegistry()
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_requests = Counter("qiaomen_requests", "Answered requests.", ["path", "status"], registry=_own)
_seconds = Histogram(
    "qiaomen_service_seconds", "From the request's head to its answer.", ["path"], buckets=_SECONDS, registry=_own
)
_problems = Counter("qiaomen_problems", "Requests that were refused, by code.", ["code"], registry=_own)
_busy = Counter("qiaomen_busy", "Requests that were asked to come again later (429).", registry=_own)
_pushes = Counter("qiaomen_pushes", "Batches that were answered.", registry=_own)
_operations = Counter("qiaomen_operations", "Operations in these batches.", registry=_own)
_refusals = Counter("qiaomen_refusals", "Operations that were refused, by code.", ["code"], registry=_own)
_conflicts = Counter("qiaomen_conflicts", "Registers that two people had changed at once.", registry=_own)
_rows = Counter("qiaomen_rows", "Rows that were given out.", registry=_own)
_alarms = Counter("qiaomen_alarms", "What somebody should look into, by code.", ["code"], registry=_own)
waiting = Gauge(
    "qiaomen_queue_length",
    "Requests taken and not answered.",
    ["lane"],
    registry=_own,
    multiprocess_mode="livesum",
)
working = Gauge(
    "qiaomen_connections_in_use",
    "Connections to the database that work now.",
    registry=_own,
    multiprocess_mode="livesum",
)

_NOTHING = b'"refused":[],"conflicts":[]'


class _Outcome(msgspec.Struct):
    """What is counted of the answer to a push."""

    refused: list[Refusal] = []
    conflicts: list[msgspec.Raw] = []


def count_request(path: str, status: int, seconds: float, *, code: str = "") -> None:
    """One answered request; ``path`` is that of the route, without anything of its own in it."""
    _requests.labels(path, str(status)).inc()
    _seconds.labels(path).observe(seconds)
    if code:
        _problems.labels(code).inc()
    if status == 429:
        _busy.inc()


def count_rows(rows: int) -> None:
    """What a page held."""
    _rows.inc(rows)


def count_push(operations: int, reply: bytes) -> None:
    """One answered batch, by the JSON of its reply."""
    _pushes.inc()
    _operations.inc(operations)
    if _NOTHING in reply:
        return
    outcome = msgspec.json.decode(reply, type=_Outcome)
    for refusal in outcome.refused:
        _refusals.labels(refusal.code).inc()
    _conflicts.inc(len(outcome.conflicts))


def count_alarm(code: str) -> None:
    """One line of the log that says ``alarm``."""
    _alarms.labels(code).inc()


def exposition(backup_age_s: Callable[[], float | None], damaged_files: Callable[[], int]) -> bytes:
    """Everything that was counted, in Prometheus' own text form; of all workers when there are several."""
    registry: CollectorRegistry = _own
    if os.environ.get(FOLDER_VARIABLE):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    backups = CollectorRegistry()
    backups.register(_Backups(backup_age_s, damaged_files))
    return generate_latest(registry) + generate_latest(backups)


class _Backups(Collector):
    def __init__(self, age_s: Callable[[], float | None], damaged_files: Callable[[], int]) -> None:
        self._age_s = age_s
        self._damaged_files = damaged_files

    def collect(self) -> Iterator[Metric]:
        """Nothing as long as there is no backup: an alarm on its absence finds that."""
        age = self._age_s()
        if age is not None:
            yield GaugeMetricFamily("qiaomen_backup_age_seconds", "Since the latest backup was finished.", value=age)
            yield GaugeMetricFamily(
                "qiaomen_backup_damaged_files",
                "Attached files that the latest backup left out as they are damaged.",
                value=self._damaged_files(),
            )
