"""The page about bytes: its example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "bytes.md"


def test_the_example_runs(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    script = tmp_path / "frames.py"
    script.write_text(block, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own page
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(list(range(20)))
