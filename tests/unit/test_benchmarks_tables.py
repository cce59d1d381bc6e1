"""The figures and tables of the benchmarks: what samples come to, and that the docs say what was measured."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import typer
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks import charts, document, machine
from benchmarks.bars import Bar, Times, judge
from benchmarks.experiment import Effort
from benchmarks.experiments import restart
from benchmarks.figures import MICROSECONDS, RATE, Figures
from benchmarks.grid import grid, verdict_grid
from benchmarks.standings import Question, Row, Sample, standings
from steady_mp import RestartPolicy

if TYPE_CHECKING:
    from pathlib import Path


def data() -> dict[str, Any]:
    """Return a race of three rounds: ours, a peer that is the baseline, and one that is not installed."""
    question = Question(name="race", title="who is first", unit=RATE, baseline="peer", extras={"wait": MICROSECONDS})
    ours = [Sample(rate, {"wait": 2e-6}) for rate in (3000.0, 4000.0, 9000.0)]
    peer = [Sample(rate, {"wait": wait}) for rate, wait in ((2000.0, 1e-6), (2000.0, 3e-6), (2000.0, 4e-6))]
    rows = [
        Row("peer", "as it comes", samples=peer),
        Row("ours", "with all on", ours=True, samples=ours),
        Row("absent", out="it is not installed"),
    ]
    return standings(question, rows).data


def test_figures_of_one_and_of_several_samples() -> None:
    assert Figures((7.0,)).quartiles == (7.0, 7.0)
    assert Figures((7.0,)).noise == 0.0
    found = Figures((1.0, 2.0, 3.0, 4.0, 5.0))
    assert (found.median, found.low, found.high, found.quartiles) == (3.0, 1.0, 5.0, (2.0, 4.0))
    assert found.noise == pytest.approx(2 / 3)
    assert Figures((0.0, 0.0)).noise == 0.0


def test_standings_are_ranked_and_keep_every_sample() -> None:
    rows = data()["rows"]
    assert [row["name"] for row in rows] == ["ours", "peer", "absent"]
    assert rows[0]["samples"] == [3000.0, 4000.0, 9000.0]
    assert (rows[0]["median"], rows[0]["ratio"], rows[1]["ratio"]) == (4000.0, 2.0, 1.0)
    assert rows[1]["extras"] == {"wait": 3e-6}
    assert rows[2]["out"] == "it is not installed"


def test_a_series_keeps_its_order_and_a_noisy_row_is_named() -> None:
    question = Question(name="series", title="", unit=RATE, baseline="nobody", ranked=False)
    rows = [Row("a", samples=[Sample(1.0)]), Row("b", samples=[Sample(one) for one in (1.0, 5.0, 9.0)])]
    outcome = standings(question, rows)
    assert [row["name"] for row in outcome.data["rows"]] == ["a", "b"]
    assert outcome.warnings == ["series was noisy: ± b 40%", "series has no ratios, because nobody did not run"]


def test_the_table_of_a_race() -> None:
    verdicts = judge(
        [data()], [Bar("speed", "race", "ours", Times(2, "peer")), Bar("speed", "race", "ours", Times(3, "peer"))]
    )
    found = grid(data(), verdicts)
    assert found.columns == ["", "median", "least", "most", "±", "ratio", "wait, µs", "bar"]
    assert found.rows == [
        ["ours", "4", "3", "9", "38%", "2.00", "2.0", "1 of 2 met"],
        ["peer", "2", "2", "2", "0%", "1.00", "3.0", ""],
        ["absent", "out"],
    ]
    assert found.bold == {0}
    assert found.notes == [("ours", "with all on"), ("peer", "as it comes"), ("absent", "it is not installed")]


def test_ratios_of_what_was_taken_side_by_side_come_with_their_own_spread() -> None:
    question = Question(name="race", title="", unit=RATE, baseline="base", ranked=False, paired=True)
    rows = [
        Row("base", samples=[Sample(rate) for rate in (1000.0, 1500.0, 1000.0)]),
        Row("other", samples=[Sample(rate) for rate in (1000.0, 1530.0, 1040.0)]),
    ]
    found = grid(standings(question, rows).data)
    ratio = found.columns.index("ratio")
    assert [row[ratio] for row in found.rows] == ["1.00", "1.02 ± 1.0%"]


def test_the_same_table_as_markdown_and_on_a_terminal() -> None:
    found = grid(data())
    assert found.markdown(notes=False).splitlines() == [
        "k messages/s, more is better; ratio to peer",
        "",
        "|  | median | least | most | ± | ratio | wait, µs |",
        "|---|---:|---:|---:|---:|---:|---:|",
        "| **ours** | **4** | **3** | **9** | **38%** | **2.00** | **2.0** |",
        "| peer | 2 | 2 | 2 | 0% | 1.00 | 3.0 |",
        "| absent | out |  |  |  |  |  |",
    ]
    output = io.StringIO()
    Console(file=output, width=120).print(found.rich())
    assert "race: who is first" in output.getvalue()
    assert "absent: it is not installed" in output.getvalue()


def test_a_board_shows_each_column_in_its_unit_and_what_is_not_known_as_nothing() -> None:
    board = {
        "kind": "board",
        "name": "board",
        "title": "several figures",
        "scale": "in their units",
        "columns": [{"title": "runs", **RATE.data(), "shown": ""}, {"title": "wait", **MICROSECONDS.data()}],
        "rows": [
            {"name": "ours", "ours": True, "note": "", "cells": [3000.0, 2e-6]},
            {"name": "peer", "ours": False, "note": "", "cells": [1000.0, None]},
            {"name": "absent", "ours": False, "note": "", "out": "not here"},
        ],
    }
    found = grid(board)
    assert found.columns == ["", "runs", "wait, µs"]
    assert found.rows == [["ours", "3", "2.0"], ["peer", "1", ""], ["absent", "out"]]


def test_the_table_of_verdicts() -> None:
    (verdict,) = judge([data()], [Bar("speed", "race", "ours", Times(2, "peer"))])
    assert verdict_grid([verdict.data()]).rows == [["speed", "≥ 2x peer", "2.00x", "met"]]


def test_a_page_gets_the_tables_between_its_marks_and_keeps_the_rest() -> None:
    page = (
        "Before.\n<!-- figures: race -->\nold\n<!-- /figures -->\n<!-- figures: other -->\n<!-- /figures -->\nAfter.\n"
    )
    run = {"experiments": [data()]}
    once = document.refreshed(page, run)
    assert "| **ours** |" in once
    assert "old" not in once
    assert "<!-- figures: other -->\n(not measured in this run)\n<!-- /figures -->\nAfter." in once
    assert document.refreshed(once, run) == once


@pytest.mark.parametrize("page", document.PAGES, ids=lambda path: path.name)
def test_the_docs_say_what_was_measured(page: Any) -> None:
    """`make figures` writes them from docs/performance.json."""
    text = page.read_text(encoding="utf-8")
    assert "<!-- figures: " in text
    assert document.refreshed(text, json.loads(document.DATA.read_text(encoding="utf-8"))) == text


@pytest.mark.parametrize(
    ("medians", "edge"), [([2.0, 3.0, 31.0], 3900.0), ([2.0, 3.0, 29.0], math.inf), ([5.0], math.inf)]
)
def test_a_chart_is_cut_off_where_one_row_dwarfs_all_others(medians: list[float], edge: float) -> None:
    assert charts._edge([{"median": each, "high": each} for each in medians], factor=1000.0) == pytest.approx(edge)


def test_a_run_names_the_versions_of_all_that_it_measures() -> None:
    """Ray and xoscar are called, and numpy works in the pipeline: neither is a peer with a link."""
    run = command._data({}, Effort(rounds=5), [], [])
    assert run["versions"].keys() >= {"steady-mp", "faster-fifo", "iceoryx2", "pyzmq", "numpy", "ray", "xoscar"}
    assert machine.versions(["psutil", "no-such-distribution"]) == {
        "psutil": psutil.__version__,
        "no-such-distribution": None,
    }


def test_the_warnings_of_a_run_are_counted_in_the_readme_and_listed_in_the_other_page() -> None:
    found = {"processor": "a processor", "cores": 2, "system": "a system", "python": "a Python"}
    run = {"rounds": 5, "taken": "2026-01-02T03:04", "machine": found, "versions": {"peer": "1.2", "absent": None}}
    page = "<!-- figures: {} -->\n<!-- /figures -->\n"
    noisy = {**run, "warnings": ["it was noisy", "peer: done without it", "it was late"]}
    place = document.refreshed(page.format("place"), noisy)
    assert "2026-01-02: a processor, 2 cores, a system, a Python; peer 1.2.\n" in place
    assert "its 2 warnings" in place
    assert "- it was noisy\n- it was late\n" in document.refreshed(page.format("machine"), noisy)
    for block in ("place", "machine"):
        assert document.refreshed(page.format(block), {**run, "warnings": []}).splitlines()[2:] == ["<!-- /figures -->"]


def test_who_is_restarted_without_the_pause_does_not_call_that_default_settings() -> None:
    rows = {row["name"]: row for row in _experiment("restart")["rows"]}
    assert rows["steady-mp, warm spare"]["note"] == restart._Spare.note
    assert RestartPolicy() != restart._AT_ONCE
    assert restart._Spare.note.startswith("default settings, but for the pause between restarts")


def _experiment(name: str) -> dict[str, Any]:
    every = json.loads(document.DATA.read_text(encoding="utf-8"))["experiments"]
    (found,) = [each for each in every if each["name"] == name]
    return dict(found)


def test_make_figures_writes_the_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, run = tmp_path / "page.md", tmp_path / "run.json"
    page.write_text("<!-- figures: race -->\n<!-- /figures -->\n", encoding="utf-8")
    run.write_text(json.dumps({"experiments": [data()]}), encoding="utf-8")
    monkeypatch.setattr(document, "ROOT", tmp_path)
    monkeypatch.setattr(document, "PAGES", (page,))
    document.main(run, charts=False)
    assert "| **ours** |" in page.read_text(encoding="utf-8")


def test_make_figures_without_a_run_names_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=r"No such file or directory.*make bench"):
        document.main(tmp_path / "absent.json", charts=False)
