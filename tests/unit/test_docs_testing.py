"""What the pages about testing show is what CI runs, and what they link to is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from actors.fizzbuzz import fizzbuzz
from steady_mp.testing import SimulationFailed, explore
from steady_mp.testing.difference import difference
from tests.examples.test_in_simulation import all_counted, build_forgetful
from tests.unit.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

INDEX = ROOT / "docs/testing.md"
PAGES = [INDEX, *sorted((ROOT / "docs/testing").glob("*.md")), ROOT / "docs/channels.md"]
EXAMPLES = sorted((ROOT / "tests/examples").glob("*.py"))

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(text: str) -> list[str]:
    """Return the pieces of Python in a page."""
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def stands_in(block: str, text: str) -> bool:
    """Tell whether all lines of `block` stand in `text`, whole and one behind the other."""
    return f"\n{block}" in f"\n{text}"


def links(text: str) -> list[str]:
    """Return what a page links to on this disk."""
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link for link in found if not link.startswith(("http:", "https:"))]


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings, as a link has them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pages
def test_each_piece_of_python_stands_in_an_example(page: Path) -> None:
    examples = [path.read_text(encoding="utf-8") for path in EXAMPLES]
    for block in blocks(page.read_text(encoding="utf-8")):
        assert any(stands_in(block, example) for example in examples), f"in no file of tests/examples:\n{block}"


def test_what_the_readme_tests_stands_in_an_example() -> None:
    tests = [block for block in blocks((ROOT / "README.md").read_text(encoding="utf-8")) if "def test_" in block]
    assert tests
    example = (ROOT / "tests/examples/test_in_readme.py").read_text(encoding="utf-8")
    assert all(stands_in(block, example) for block in tests)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name
)
def test_each_link_leads_somewhere(page: Path) -> None:
    for link in links(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_difference_that_is_shown_is_a_real_one() -> None:
    sent = [fizzbuzz(number) for number in range(8)]
    told = difference([*sent[:5], *sent[6:]], sent)
    assert f"```text\nAssertionError: results: {told}\n```\n" in (ROOT / "docs/testing/bench.md").read_text(
        encoding="utf-8"
    )


def test_the_failure_that_is_shown_is_a_real_one() -> None:
    page = (ROOT / "docs/testing/simulation.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(check: .*?\n)(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    with pytest.raises(SimulationFailed) as found:
        explore(build_forgetful, seeds=range(200), check=all_counted)
    told = str(found.value)
    assert all(part in told for part in shown), f"the page shows another one:\n{told}"


def test_the_index_leads_to_every_page() -> None:
    found = {link.partition("#")[0] for link in links(INDEX.read_text(encoding="utf-8"))}
    assert {f"testing/{page.name}" for page in PAGES[1:-1]} <= found


def test_the_examples_are_collected_by_pytest() -> None:
    assert all(path.name.startswith(("test_", "__init__")) for path in EXAMPLES)
    assert len(EXAMPLES) > 1


def test_the_rule_would_see_a_change() -> None:
    page = "Text.\n\n```python\ndef f() -> None:\n    g()\n```\n\n```sh\nls\n```\n\n```python\nx = 1\n```\n"
    assert blocks(page) == ["def f() -> None:\n    g()\n", "x = 1\n"]
    file = "import y\n\n\ndef f() -> None:\n    g()\n\n\nx = 1\n"
    assert all(stands_in(block, file) for block in blocks(page))
    for changed in ("def f() -> None:\n    h()\n", "    g()\n    x = 1\n", "f() -> None:\n    g()\n", "x = 1 + 1\n"):
        assert not stands_in(changed, file)
