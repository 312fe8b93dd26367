"""One thread where more would add in another order, so that the last digit is the same anywhere."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

try:
    from threadpoolctl import ThreadpoolController
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs threadpoolctl: pip install "ombo-gym[evaluation]"'
    ) from error


def one_thread() -> AbstractContextManager[Any]:
    """Within it, libraries of linear algebra that were loaded before take one thread each.

    Looking for them takes milliseconds, so it is done once, and again when more has been imported.
    """
    limiter: AbstractContextManager[Any] = _libraries(len(sys.modules)).limit(limits=1)
    return limiter


@lru_cache(maxsize=1)
def _libraries(num_modules: int) -> ThreadpoolController:
    """What is loaded while so many modules are."""
    return ThreadpoolController()
