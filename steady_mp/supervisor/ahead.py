"""What a process gets ready before it knows for sure whose life it will live: all that changes nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from steady_mp.logs import capture_output, connect_output, prepare_output
from steady_mp.memory.owner import my_start
from steady_mp.plan import actor_file
from steady_mp.supervisor.belongings import Belongings
from steady_mp.supervisor.stacks import Dumps

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp.plan import Plan


class Ahead:
    """What one process has ready. A life takes it, or opens then what is not there."""

    def __init__(self, directory: Path, plan: Plan, lifeline: int) -> None:
        """Have nothing ready yet; a life ends when `lifeline` does."""
        self.directory = directory
        self.plan = plan
        self._lifeline = lifeline
        self._speaks = False
        self._actor: int | None = None
        self._dumps: Dumps | None = None
        self._belongings: Belongings | None = None

    def prepare(self) -> None:
        """Get ready what is the same for all actors."""
        my_start()
        prepare_output(self.plan.log_level)
        self._speaks = True

    def look_at(self, actor: int) -> None:
        """Open what a life of `actor` begins with, in the place of what is open for another one."""
        if actor == self._actor:
            return
        self.let_go()
        self._actor = actor
        with suppress(Exception):  # what is wrong with it, the life itself says
            self._dumps = self._open_dumps(actor, create=False)
            self._belongings = Belongings(self.directory, self.plan, actor, self._lifeline)

    def guess(self, actor: int) -> None:
        """Do the same for want of a better word, unless something is open."""
        if self._actor is None:
            self.look_at(actor)

    def let_go(self) -> None:
        """Close what was opened by a look, and not taken since."""
        for each in (self._dumps, self._belongings):
            if each is not None:
                each.close()
        self._actor = self._dumps = self._belongings = None

    def capture_output(self, log_fd: int) -> None:
        """Send this process's standard streams and its logging to `log_fd`."""
        if self._speaks:
            connect_output(log_fd)
        else:
            capture_output(log_fd, self.plan.log_level)

    def dumps(self, actor: int) -> Dumps:
        """Hand over where the stacks of a life of `actor` go."""
        if actor != self._actor:
            self.let_go()
        dumps, self._dumps = self._dumps, None
        if dumps is not None and None in dumps:  # nobody has lived yet
            dumps.close()
            dumps = None
        return dumps or self._open_dumps(actor)

    def belongings(self, actor: int) -> Belongings:
        """Hand over what a life of `actor` has. Raises OSError and CorruptChannel."""
        if actor != self._actor:
            self.let_go()
        belongings, self._belongings = self._belongings, None
        return belongings or Belongings(self.directory, self.plan, actor, self._lifeline)

    def _open_dumps(self, actor: int, *, create: bool = True) -> Dumps:
        stack, fault = (self.directory / actor_file(actor, kind) for kind in ("stack", "fault"))
        return Dumps.open(stack, fault, create=create)
