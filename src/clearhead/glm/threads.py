"""Keep small linear algebra on one thread."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]


@functools.cache
def _pools() -> ThreadpoolController:
    """The BLAS libraries that are loaded; looking for them takes milliseconds."""
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Run BLAS and LAPACK on one thread inside the ``with`` block.

    Small factorisations and products with one vector gain little from threads, and lose
    much where cores are shared: threads that wait for each other spin.
    """
    context: AbstractContextManager[Any] = _pools().limit(limits=1, user_api="blas")
    return context
