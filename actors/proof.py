"""What must hold at the end of every run of the pipeline, however often its actors died."""

from actors.logger import LoggerState
from steady_mp import Report


def check_report(report: Report) -> list[str]:
    """Compare counts and totals with those of arithmetic; return what is wrong, nothing when all is exact."""
    states = {actor.name: actor.state for actor in report.actors}
    beats, numbers = states["heartbeat"]["beats"], states["generator"]["value"]
    expected = [
        ("the worker's beats", states["worker"]["beats"], beats),
        ("the worker's messages", states["worker"]["messages"], numbers),
        ("the logger's totals", LoggerState(**states["logger"]), totals(numbers)),
    ]
    for channel, count in zip(report.channels, (beats, numbers, numbers), strict=True):
        expected += [(f"{channel.name}: sent", channel.sent, count), (f"{channel.name}: taken", channel.taken, count)]
    return [f"{what} must be {right}, not {found}" for what, found, right in expected if found != right]


def totals(count: int) -> LoggerState:
    """Return what the logger has counted after the numbers from 0 to `count` - 1: so many are multiples of a number."""
    threes, fives, fifteens = (-(-count // each) for each in (3, 5, 15))
    return LoggerState(
        fizzbuzz=fifteens, fizz=threes - fifteens, buzz=fives - fifteens, value=count - threes - fives + fifteens
    )
