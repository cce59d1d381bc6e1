"""Every error that steady-mp raises, and the exit codes of a run.

SteadyError
├── ConfigurationError        the graph, its options or the machine can't be used as they are
│   └── NoSpace               the run directory's file system can't hold the channels
├── ChannelError
│   ├── Closed                a send that can't arrive
│   │   ├── ClosedByMe        this actor marked the channel closed
│   │   └── PeerGone          the consumer has finished, or was given up
│   ├── EndOfStream           a take from a closed and empty channel
│   ├── MessageTooLarge       the message exceeds the ring, or what a bytes lane takes of it
│   ├── NotPicklable          the message can't be pickled
│   ├── DoesNotFit            the message is no item of the lane's dtype, or on a bytes lane no bytes
│   ├── OutOfReach            a lane was advanced beyond what it has handed out, or by a size that can't be
│   ├── ViewInUse             an array or a slice of a lane's view is alive where that has to end
│   └── CorruptChannel        a channel's file is of another kind or version, or contradicts a cursor
├── StateError                a state can't be snapshotted or read back
└── StartError                the processes of a run could not be started
"""

from __future__ import annotations

import errno
from enum import IntEnum


def in_words(error: OSError) -> str:
    """Say what the system has refused, and what mends it where that is a limit of this process."""
    words = error.strerror or str(error)
    return f"{words}; raise the limit (ulimit -n)" if error.errno == errno.EMFILE else words


class ExitCode(IntEnum):
    """How a run ended, as the process's exit status."""

    DRAINED = 0
    UNCLEAN = 1
    BAD_CONFIGURATION = 2
    GAVE_UP = 3
    WRONG_RESULT = 4
    SHOWSTOPPER = 5
    INTERRUPTED = 130


class SteadyError(Exception):
    """Base of every error that steady-mp raises."""


class ConfigurationError(SteadyError):
    """The graph, its options or the machine can't be used as they are; nothing was started."""


class NoSpace(ConfigurationError):
    """The file system of the run directory can't hold the channels; nothing was left behind."""


class ChannelError(SteadyError):
    """Base of what the ends of a channel raise."""


class Closed(ChannelError):
    """The message can't arrive: the channel is closed at one of its ends."""


class ClosedByMe(Closed):
    """This actor called `mark_closed` on the channel before."""


class PeerGone(Closed):
    """The consumer of the channel has finished, or the supervisor gave it up."""


class EndOfStream(ChannelError):
    """The channel is closed and empty: no message will ever come.

    A behavior may let it escape: the actor then finishes as if its behavior had returned.
    """


class MessageTooLarge(ChannelError):
    """The message, pickled where it has to be, exceeds the channel's ring, or half of a bytes lane's.

    It was not staged; of a `send_slice`, what comes before it was.
    """


class NotPicklable(ChannelError):
    """The message can't be pickled. It was not staged; of a `send_slice`, what comes before it was."""


class DoesNotFit(ChannelError):
    """The message is no item of the lane's dtype, or on a bytes lane no buffer in one piece.

    It was not staged; of a `send_slice`, what comes before it may have been.
    """


class OutOfReach(ChannelError, ValueError):
    """`advance_take` or `advance_send` went beyond the messages, or the slots, that there are; nothing was staged.

    On a bytes lane also: a size below 0, or above that of the view that was handed out.
    """


class ViewInUse(ChannelError, BufferError):
    """A view of a lane has to end, and something still looks into its place; nothing was committed, or staged.

    A view itself is released: by the commit that gives its slots away; one of `BytesTx.poke` by `advance_send` and by
    the next send or poke already. What was made from it can't be: an array, or a slice of it, has to be gone then.
    """


class CorruptChannel(ChannelError):
    """A record in the ring contradicts the cursor that points at it, or the file is of another kind or version."""


class StateError(SteadyError):
    """A state can't be pickled, or its snapshot can't be read back."""


class StartError(SteadyError):
    """The processes of a run could not be started."""
