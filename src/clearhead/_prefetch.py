"""The next pieces of work are prepared in threads while the one at hand is done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["prefetched"]

Job = TypeVar("Job")
Result = TypeVar("Result")


def prefetched(
    work: Callable[[Job], Result], jobs: Iterable[Job], ahead: int = 3, workers: int = 1
) -> Generator[Result, None, None]:
    """Yield ``work(job)`` for each job, in order, computed up to `ahead` jobs early.

    Jobs are asked for in this thread, one by one; `workers` threads do the work.
    """
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="clearhead-prefetch")
    try:
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
