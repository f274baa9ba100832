"""What the server does by itself at its start and once a day."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from sync.domain.ids import new_id
from sync.server.logs import log, log_failure
from sync.server.runner import Raced
from sync.server.settings import wall_ms

Job = Callable[[], Awaitable[int]]


@asynccontextmanager
async def running(job: Job, *, every_s: float, event: str = "filed") -> AsyncIterator[None]:
    """Do the job now and again after so many seconds, as long as the context lasts; the log says ``event``."""
    task = asyncio.create_task(_again_and_again(job, every_s, event))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _again_and_again(job: Job, every_s: float, event: str) -> None:
    while True:
        try:
            log(event, count=await job())
        except (SQLAlchemyError, Raced) as error:
            log_failure(new_id(wall_ms()), error)  # the next time may go better
        await asyncio.sleep(every_s)
