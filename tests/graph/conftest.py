"""What tests of whole runs share."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.support.operator import Operator

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def operator(capsys: pytest.CaptureFixture[str]) -> Operator:
    """Return who types commands."""
    return Operator(capsys)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep what outlives a run where this test can see it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path
