"""steady-mp: actors as processes, channels in shared memory, restarts that lose and repeat nothing.

Each name is loaded when it is asked for: the command says in one line that it was interrupted, however early that was,
and every pytest of a project that has steady-mp installed loads this package for one small plugin of it.
"""

import steady_mp.machine  # noqa: F401 - elsewhere what follows could not be imported

# isort: split
from typing import TYPE_CHECKING

from steady_mp import homes

if TYPE_CHECKING:
    from steady_mp.actor import Actor
    from steady_mp.cadence import CommitEvery
    from steady_mp.channel.bundle import RxBundle, TxBundle
    from steady_mp.channel.bytes_rx import BytesRx
    from steady_mp.channel.bytes_tx import BytesTx
    from steady_mp.channel.endpoints import ChannelStatistics, Rx, SendOutcome, SendSaturation, Tx
    from steady_mp.channel.lane import LaneRx, LaneTx
    from steady_mp.conditions import Condition, all_of, any_of
    from steady_mp.errors import (
        ChannelError,
        Closed,
        ClosedByMe,
        ConfigurationError,
        CorruptChannel,
        DoesNotFit,
        EndOfStream,
        ExitCode,
        MessageTooLarge,
        NoSpace,
        NotPicklable,
        OutOfReach,
        PeerGone,
        StartError,
        StateError,
        SteadyError,
        ViewInUse,
    )
    from steady_mp.events import Event
    from steady_mp.log_output import LogSettings
    from steady_mp.monitors import (
        Alert,
        AlertColor,
        Filled,
        Latency,
        Level,
        Load,
        Metric,
        MilliCpu,
        Monitor,
        Rate,
        Statistic,
        Trigger,
    )
    from steady_mp.policy import RestartPolicy
    from steady_mp.recycling import Recycle
    from steady_mp.serving import Telemetry
    from steady_mp.state import SteadyState
    from steady_mp.supervisor.report import ActorReport, ChannelReport, Report
    from steady_mp.supervisor.run import Graph, Run
    from steady_mp.wait_strategy import WaitStrategy

__all__ = [
    "Actor",
    "ActorReport",
    "Alert",
    "AlertColor",
    "BytesRx",
    "BytesTx",
    "ChannelError",
    "ChannelReport",
    "ChannelStatistics",
    "Closed",
    "ClosedByMe",
    "CommitEvery",
    "Condition",
    "ConfigurationError",
    "CorruptChannel",
    "DoesNotFit",
    "EndOfStream",
    "Event",
    "ExitCode",
    "Filled",
    "Graph",
    "LaneRx",
    "LaneTx",
    "Latency",
    "Level",
    "Load",
    "LogSettings",
    "MessageTooLarge",
    "Metric",
    "MilliCpu",
    "Monitor",
    "NoSpace",
    "NotPicklable",
    "OutOfReach",
    "PeerGone",
    "Rate",
    "Recycle",
    "Report",
    "RestartPolicy",
    "Run",
    "Rx",
    "RxBundle",
    "SendOutcome",
    "SendSaturation",
    "StartError",
    "StateError",
    "Statistic",
    "SteadyError",
    "SteadyState",
    "Telemetry",
    "Trigger",
    "Tx",
    "TxBundle",
    "ViewInUse",
    "WaitStrategy",
    "all_of",
    "any_of",
]

_HOMES = {
    "Actor": "actor",
    "ActorReport": "supervisor.report",
    "Alert": "monitors",
    "AlertColor": "monitors",
    "BytesRx": "channel.bytes_rx",
    "BytesTx": "channel.bytes_tx",
    "ChannelError": "errors",
    "ChannelReport": "supervisor.report",
    "ChannelStatistics": "channel.endpoints",
    "Closed": "errors",
    "ClosedByMe": "errors",
    "CommitEvery": "cadence",
    "Condition": "conditions",
    "ConfigurationError": "errors",
    "CorruptChannel": "errors",
    "DoesNotFit": "errors",
    "EndOfStream": "errors",
    "Event": "events",
    "ExitCode": "errors",
    "Filled": "monitors",
    "Graph": "supervisor.run",
    "LaneRx": "channel.lane",
    "LaneTx": "channel.lane",
    "Latency": "monitors",
    "Level": "monitors",
    "Load": "monitors",
    "LogSettings": "log_output",
    "MessageTooLarge": "errors",
    "Metric": "monitors",
    "MilliCpu": "monitors",
    "Monitor": "monitors",
    "NoSpace": "errors",
    "NotPicklable": "errors",
    "OutOfReach": "errors",
    "PeerGone": "errors",
    "Rate": "monitors",
    "Recycle": "recycling",
    "Report": "supervisor.report",
    "RestartPolicy": "policy",
    "Run": "supervisor.run",
    "Rx": "channel.endpoints",
    "RxBundle": "channel.bundle",
    "SendOutcome": "channel.endpoints",
    "SendSaturation": "channel.endpoints",
    "StartError": "errors",
    "StateError": "errors",
    "Statistic": "monitors",
    "SteadyError": "errors",
    "SteadyState": "state",
    "Telemetry": "serving",
    "Trigger": "monitors",
    "Tx": "channel.endpoints",
    "TxBundle": "channel.bundle",
    "ViewInUse": "errors",
    "WaitStrategy": "wait_strategy",
    "all_of": "conditions",
    "any_of": "conditions",
}

if not TYPE_CHECKING:  # for whom every name above is there
    __getattr__ = homes.loads_from(_HOMES, __name__)

    def __dir__() -> list[str]:
        """Return what a session offers at the tab key: also the names that nobody has asked for yet."""
        return sorted({*globals(), *__all__})
