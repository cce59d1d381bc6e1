"""Leaving: how a test is left that has not failed."""

from __future__ import annotations

from typing import Final

#: What ends a test without a failure; what pytest fails one with is no Exception either.
LEAVING: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)
