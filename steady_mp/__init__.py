"""steady-mp: actors as processes, channels in shared memory, restarts that lose and repeat nothing."""

import steady_mp.machine  # noqa: F401 - elsewhere what follows could not be imported

# isort: split
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
