"""The simulation finds each deliberate fault in the commit protocol, and none where there is none."""

from __future__ import annotations

import re

import pytest

from steady_mp.turn import Turn
from tests.mutants import hunt
from tests.mutants.mutants import MUTANTS, Mutant
from tests.unit.source import ROOT

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.title)
def test_the_mutant_is_found(mutant: Mutant) -> None:
    found = hunt.hunt(mutant)
    assert found is not None
    assert not hunt.blunders(mutant, seed=found[0])


@pytest.mark.parametrize("page", ["README.md", "docs/testing/simulation.md"])
def test_the_pages_say_how_many_there_are(page: str) -> None:
    assert re.findall(r"in (\d+) ways", (ROOT / page).read_text(encoding="utf-8")) == [str(len(MUTANTS))]


def test_a_mutant_that_breaks_each_commit_is_told_from_a_fault_of_the_protocol() -> None:
    settle = "    self._settle(moved)\n"
    twice = Mutant("settled twice", Turn, "commit", settle, 2 * settle)
    assert "  died: KeyError: " in hunt.blunders(twice, seed=1)[0]


def test_without_a_mutant_nothing_is_found() -> None:
    for seed in range(2 * hunt.GRAPHS):
        hunt.run(seed)


def test_a_mutant_that_the_code_has_outgrown_is_no_mutant() -> None:
    stale = Mutant("stale", MUTANTS[0].owner, MUTANTS[0].name, "a passage that is nowhere", "")
    with pytest.raises(LookupError, match="has this passage 0 times, not once"), stale.alive():
        pass
