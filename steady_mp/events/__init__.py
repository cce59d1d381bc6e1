"""What happens in a run, as one typed stream.

The log line, the report and the dashboard are consumers of it. A consumer that raises is dropped.
"""

from __future__ import annotations

from steady_mp.events.actor import (
    ActorDied,
    ActorFinished,
    ActorGivenUp,
    ActorRecycled,
    ActorReplayed,
    ActorRevived,
    ActorStalled,
    ActorStarted,
    BegunAnew,
)
from steady_mp.events.chaos import (
    ChaosBegan,
    ChaosEnded,
    ChaosFroze,
    ChaosKilled,
)
from steady_mp.events.event import (
    Event,
)
from steady_mp.events.letters import (
    LettersLeft,
    LettersReplayed,
    MessagePutAside,
    ShowstopperMet,
)
from steady_mp.events.run import (
    AlertCleared,
    AlertRaised,
    CycleBlocked,
    CycleDeclared,
    ForkServerDied,
    ForkServerGivenUp,
    ProcessDelayed,
    RunStarted,
    RunStopped,
    ShutdownPostponed,
    ShutdownRefused,
    ShutdownRequested,
    TelemetryDied,
    TelemetryStarted,
)

__all__ = [
    "ActorDied",
    "ActorFinished",
    "ActorGivenUp",
    "ActorRecycled",
    "ActorReplayed",
    "ActorRevived",
    "ActorStalled",
    "ActorStarted",
    "AlertCleared",
    "AlertRaised",
    "BegunAnew",
    "ChaosBegan",
    "ChaosEnded",
    "ChaosFroze",
    "ChaosKilled",
    "CycleBlocked",
    "CycleDeclared",
    "Event",
    "ForkServerDied",
    "ForkServerGivenUp",
    "LettersLeft",
    "LettersReplayed",
    "MessagePutAside",
    "ProcessDelayed",
    "RunStarted",
    "RunStopped",
    "ShowstopperMet",
    "ShutdownPostponed",
    "ShutdownRefused",
    "ShutdownRequested",
    "TelemetryDied",
    "TelemetryStarted",
]
