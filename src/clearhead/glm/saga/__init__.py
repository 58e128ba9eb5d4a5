"""Checkpoints of glm_saga, read without running code and certified."""

from __future__ import annotations

from clearhead.glm.saga.path import SagaPath
from clearhead.glm.saga.read import read_saga

__all__ = ["SagaPath", "read_saga"]
