"""What the README shows."""

from actors import Args, build_graph, check_report, worker
from actors.fizzbuzz import Value, Word
from steady_mp.testing import Bench, Outcome, explore


def test_a_beat_turns_numbers_into_words() -> None:
    """One actor, no process, a millisecond."""
    bench = Bench()
    beats, numbers, results, state = bench.input(), bench.input(), bench.output(), bench.state()
    bench.actor(worker.run, beats.end, numbers.end, results.end, state)
    numbers.send_all([15, 16])
    beats.send_all([0])
    bench.run()
    results.assert_all([Word.FIZZBUZZ, Value(16)])


def test_a_hundred_orders_of_events_with_a_crash_in_each() -> None:
    """The whole graph in this process, by a seed; a failure is shrunk and replays."""

    def exact(outcome: Outcome) -> None:
        assert check_report(outcome.report) == []

    explore(build_graph, Args(rate=10, beats=4), seeds=range(100), crashes=1, check=exact)
