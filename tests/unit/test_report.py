"""The report as plain data: its shape is an interface."""

from __future__ import annotations

import json

from steady_mp import ActorReport, ChannelReport, ExitCode, Report

ACTOR = ActorReport(
    name="worker", generation=3, restarts=2, deaths=["SIGKILL", "exit code 3"], finished=True, state={"beats": 4}
)
CHANNEL = ChannelReport(name="a→b", from_actor="a", to_actor="b", capacity=64, sent=10, taken=8, in_flight=2)
REPORT = Report(
    graph="pipeline",
    clean=False,
    why=["b did not stop in time"],
    exit_code=ExitCode.UNCLEAN,
    wall_time=12.5,
    actors=[ACTOR],
    channels=[CHANNEL],
)


def test_a_report_as_plain_data() -> None:
    assert REPORT.to_dict() == {
        "graph": "pipeline",
        "clean": False,
        "why": ["b did not stop in time"],
        "exit_code": 1,
        "wall_time": 12.5,
        "actors": [
            {
                "name": "worker",
                "generation": 3,
                "restarts": 2,
                "deaths": ["SIGKILL", "exit code 3"],
                "finished": True,
                "state": {"beats": 4},
            }
        ],
        "channels": [{"name": "a→b", "from": "a", "to": "b", "capacity": 64, "sent": 10, "taken": 8, "in_flight": 2}],
        "chaos": None,
        "dead_letters": 0,
        "letters": "",
    }


def test_json_says_the_same_and_the_report_stays_as_it_was() -> None:
    data = REPORT.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert type(data["exit_code"]) is int
    data["actors"][0]["state"]["beats"] = 0
    data["channels"].clear()
    assert ACTOR.state == {"beats": 4}
    assert REPORT.channels == [CHANNEL]


def test_exit_codes_are_those_of_the_documentation() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DRAINED": 0,
        "UNCLEAN": 1,
        "BAD_CONFIGURATION": 2,
        "GAVE_UP": 3,
        "WRONG_RESULT": 4,
        "SHOWSTOPPER": 5,
        "INTERRUPTED": 130,
    }
