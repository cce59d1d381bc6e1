"""The fork server: a small process with the actors' modules loaded, which forks them and reaps them.

It talks with the supervisor over a stream socket, one JSON object a line:

    supervisor → {"spawn": actor, "generation": n}, with the write end of the log pipe attached,
                 and "given": pid where it has told a spare already
    supervisor ← {"spawned": actor, "pid": pid}, {"delayed": name, "reason": words} where the system refuses a fork,
                 {"exited": actor, "pid": pid, "status": code or -signal,
                  "peak": bytes of memory at most, "cpu": seconds}, and
                 {"spare": pid}, with our end of the socket to it attached

Why not the one of `multiprocessing`: that is one for the whole process, so that two graphs (or a graph
and its user) share what is preloaded; it runs ``__main__`` again in each child; it starts a resource
tracker; and it tells 255 where the exit status is not known.

Order of things around signals: this process ignores INT and TERM, so that only the supervisor decides;
a child sets TERM back to its default before anything of the user's runs, and keeps ignoring INT.

The supervisor is gone when the connection ends or its process does (a fork of it may hold the connection
open). Then every actor is killed with its process group, also one that sits in a busy loop, and whatever
else descends from an actor: orphans come to this process, which is their subreaper. While this process
still imports, it can't look, and the kernel kills it together with the supervisor.

One more fork than there are actors stands by (`supervisor/spare.py`), unless the graph wants none.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil

from steady_mp.byvalue import SESSION
from steady_mp.memory.pidfd import pidfd_open
from steady_mp.plan import PLAN_FILE, Plan
from steady_mp.supervisor import child, native
from steady_mp.supervisor.ahead import Ahead
from steady_mp.supervisor.arrears import Arrears
from steady_mp.supervisor.chance import reseed
from steady_mp.supervisor.exits import FAILED, ORPHANED
from steady_mp.supervisor.quicken import quicken_named
from steady_mp.supervisor.rehearsal import rehearse
from steady_mp.supervisor.script import LOADING, load_main
from steady_mp.supervisor.spare import Reserve, Role, Spare, take, wait_for_role, warm_up
from steady_mp.supervisor.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUFFER = 1 << 16
#: Bytes in what the system tells of the most memory that a process had.
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class ForkServer:
    """The loop of the fork server."""

    def __init__(self, directory: Path, connection: socket.socket, lifeline: int, supervisor: int) -> None:
        """Serve the supervisor, the process `supervisor` at the other end of `connection`."""
        self._directory = directory
        self._wire = Wire(connection)
        self._lifeline = lifeline
        self._supervisor = supervisor
        self._pid = os.getpid()
        self._broken: Exception | None = None
        self._title = native.Title()
        self._plan = Plan.from_json((directory / PLAN_FILE).read_text())
        self._children: dict[int, int] = {}
        #: Whose life has begun last: one that dies again and again, if any does.
        self._latest = 0
        self._reserve = Reserve()
        #: How processes have ended that had taken a role of which the supervisor has not told yet.
        self._early: dict[int, dict[str, int | float]] = {}
        self._arrears = Arrears()
        self._poll = select.poll()
        self._wake_out, self._wake_in = os.pipe()
        self._others: list[int] = [self._wake_out, self._wake_in]

    def serve(self) -> NoReturn:
        """Fork and reap until the supervisor is gone."""
        try:
            native.die_with_parent()
            self._take_signals()
            LOADING.is_on = True
            native.become_subreaper()
            self._preload()
            self._take_signals()  # a module may have taken them meanwhile
            self._loop()
        except ProcessLookupError:
            pass  # the supervisor has died before it was watched
        except BaseException:  # noqa: BLE001 - whatever happens here, nobody is left behind
            traceback.print_exc()
        self._abandon()

    def _take_signals(self) -> None:
        # What the program has blocked, it has for itself: here the end of a child would go unnoticed.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        os.set_blocking(self._wake_in, False)
        signal.set_wakeup_fd(self._wake_in, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _preload(self) -> None:
        """Import what the actors will need; what fails here fails in the actor, with its traceback."""
        if self._plan.main is not None:
            try:
                kind, where = self._plan.main
                load_main(kind, str(self._directory / where) if kind == SESSION else where)
            except Exception as error:  # noqa: BLE001 - told by each actor, whose log is the user's
                self._broken = error
        for name in self._plan.modules:
            with contextlib.suppress(Exception, SystemExit):
                importlib.import_module(name)
        for actor in self._plan.actors:
            with contextlib.suppress(Exception):  # whatever stands there that is no function
                quicken_named(actor.behavior)
        gc.collect()
        gc.freeze()

    def _loop(self) -> None:
        poll = self._poll
        poll.register(self._wire, select.POLLIN)
        poll.register(self._wake_out, select.POLLIN)
        watched = self._watch_supervisor()
        if watched is not None:
            poll.register(watched, select.POLLIN)
        while os.getppid() == self._supervisor:
            for fd, events in poll.poll(self._arrears.patience(self._reserve.patience())):
                if fd == self._wake_out:
                    os.read(self._wake_out, _BUFFER)
                elif fd == watched:
                    return
                elif fd == self._wire.fileno():
                    if events & select.POLLOUT:
                        self._send()
                    if events & ~select.POLLOUT and not self._receive():
                        return
            self._hear_spare()
            self._reap()
            self._fork_overdue()
            if self._reserve.is_due():
                self._fork_spare()
            self._offer_spare()

    def _watch_supervisor(self) -> int | None:
        """From here on we survive the supervisor, and see its end: return what is readable then.

        Where the system has nothing of the kind, only the connection tells, and the kernel.
        """
        watched = None
        if sys.platform == "linux":
            try:
                watched = pidfd_open(self._supervisor)
            except ProcessLookupError:
                raise
            except OSError:  # none to spare, or none at all: the kernel goes on ending us with the supervisor
                return None
            self._others.append(watched)
            native.outlive_parent()
        return watched

    def _receive(self) -> bool:
        """Do what the supervisor asks for; tell whether it is still there."""
        requests = self._wire.requests()
        for request, log_fd in requests or ():
            self._spawn(Role(request["spawn"], request["generation"], log_fd), request.get("given"))
        return requests is not None

    def _spawn(self, role: Role, given: int | None) -> None:
        """Begin a life: the spare takes it that was given it, or a fork does."""
        if given is None:
            self._fork_actor(role)
        elif (end := self._early.pop(given, None)) is not None:
            os.close(role.log_fd)
            self._send({"spawned": role.actor, "pid": given})
            self._ended(role.actor, end)
        elif not self._reserve.given(given, role):
            self._fork_actor(role)

    def _fork_actor(self, role: Role) -> None:
        try:
            pid = self._fork()
        except OSError as error:  # no process or no memory left: those who live are not to suffer from that
            if self._arrears.put(role):
                name = self._plan.actors[role.actor].name
                self._send({"delayed": name, "reason": error.strerror or str(error)})
            return
        if pid == 0:
            with self._as_child():
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                self._become(role, Ahead(self._directory, self._plan, self._lifeline))
        self._arrears.forked()
        self._began(role, pid)

    def _fork_overdue(self) -> None:
        while (role := self._arrears.due()) is not None:
            self._fork_actor(role)

    def _began(self, role: Role, pid: int) -> None:
        """Tell that a life has a process."""
        os.close(role.log_fd)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        self._children[pid] = self._latest = role.actor
        self._reserve.is_wanted = self._plan.spare
        self._reserve.postpone()
        self._send({"spawned": role.actor, "pid": pid})

    def _fork_spare(self) -> None:
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        except OSError:  # no descriptor left: as below
            self._reserve.died()
            return
        try:
            pid = self._fork()
        except OSError:  # no process or no memory left: nobody needs a spare more than that
            ours.close()
            theirs.close()
            self._reserve.died()
            return
        if pid == 0:
            with self._as_child():
                ours.close()
                self._stand_by(theirs)
        theirs.close()
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        self._reserve.spare = Spare(pid, ours)
        self._offer_spare()  # at once: what follows takes its time
        with contextlib.suppress(OSError):  # it only saves time
            warm_up(pid)
        self._send()  # nothing, for the same reason

    def _offer_spare(self) -> None:
        """Let the supervisor give the spare its role, if it does not know of it; now or when it can be told of more."""
        spare = self._reserve.spare
        if spare is not None and not spare.is_offered:
            spare.is_offered = self._wire.hand_over({"spare": spare.pid}, spare.fileno())
            self._look_for_room()

    def _hear_spare(self) -> None:
        """Take note of a spare that has become an actor; make an end of one that can't."""
        if (spare := self._reserve.spare) is None:
            return
        fd = spare.fileno()
        if (role := self._reserve.took()) is not None:
            self._stop_hearing(fd)
            self._began(role, spare.pid)
        elif self._reserve.begins_to_hear():
            self._poll.register(fd, select.POLLIN)

    def _lost_spare(self) -> None:
        """Fork the life that a spare, which has died, was to live, if any."""
        if self._reserve.spare is not None:
            self._stop_hearing(self._reserve.spare.fileno())
        if (role := self._reserve.died()) is not None:
            self._fork_actor(role)

    def _stop_hearing(self, fd: int) -> None:
        with contextlib.suppress(KeyError):  # nobody has begun to
            self._poll.unregister(fd)

    @staticmethod
    def _fork() -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a preloaded module may have started threads
            return os.fork()

    @contextlib.contextmanager
    def _as_child(self) -> Iterator[None]:
        """Turn this fresh fork into a process that ends for itself, with nothing of the fork server's."""
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            native.die_with_parent()
            self._wire.close()
            for fd in (*self._others, *(role.log_fd for role in self._arrears.roles)):
                os.close(fd)
            if (spare := self._reserve.spare) is not None:
                if spare.role is not None:
                    os.close(spare.role.log_fd)
                spare.close()
            if os.getppid() != self._pid:  # it died before the kernel was asked to tell
                os._exit(ORPHANED)
            reseed()
            yield
        finally:
            os._exit(FAILED)

    def _stand_by(self, connection: socket.socket) -> NoReturn:
        """Be the spare until there is a role, then live it."""
        # No slash: it is no actor's.
        self._title.set(f"steady-mp:{self._plan.graph} (spare)")
        native.set_name("steady-mp spare")
        ahead = Ahead(self._directory, self._plan, self._lifeline)
        role = wait_for_role(connection, rehearse(ahead, self._latest), ahead.look_at)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # before anybody can take it for the actor
        take(connection)
        self._become(role, ahead)

    def _become(self, role: Role, ahead: Ahead) -> NoReturn:
        """Turn this process into an actor."""
        actor, generation, log_fd = role
        self._title.set(f"steady-mp:{self._plan.graph}/{self._plan.actors[actor].name}")
        child.main(ahead, actor, generation, log_fd, self._broken)

    def _reap(self) -> None:
        """Report who is gone, after killing what is left of its process group."""
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            pid = found.si_pid
            self._hear_spare()  # what it has taken, it has lived
            actor = self._children.pop(pid, None)
            is_early = self._reserve.is_early(pid)
            if actor is not None or is_early:
                # The group's number is the zombie's pid, which nobody can be given before it is reaped.
                with contextlib.suppress(OSError):
                    os.killpg(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
            end = {
                "pid": pid,
                "status": os.waitstatus_to_exitcode(status),
                "peak": usage.ru_maxrss * _MAXRSS_UNIT,
                "cpu": round(usage.ru_utime + usage.ru_stime, 3),
            }
            if is_early:
                self._early[pid] = end
                self._reserve.let_go()
            elif self._reserve.spare is not None and self._reserve.spare.pid == pid:
                self._lost_spare()
            if actor is not None:
                self._ended(actor, end)

    def _ended(self, actor: int, end: dict[str, int | float]) -> None:
        """Tell that a life is over, and the spare who may need it."""
        self._reserve.is_wanted = bool(self._children) and self._reserve.is_wanted
        self._send({"exited": actor, **end})
        if end["status"]:
            self._reserve.expect(actor)

    def _send(self, *messages: dict[str, int | float | str]) -> None:
        """Tell the supervisor, behind what is left to tell."""
        try:
            self._wire.tell(*messages)
        except OSError:
            self._abandon()
        self._look_for_room()

    def _look_for_room(self) -> None:
        self._poll.register(self._wire, select.POLLIN | (select.POLLOUT if self._wire.is_behind else 0))

    def _abandon(self) -> NoReturn:
        """The supervisor is gone: leave nobody behind."""
        spare = self._reserve.spare
        for pid in (*self._children, *([spare.pid] if spare is not None else [])):
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        # What left its actor's group, or was left behind by a life before, has come to us or will.
        with contextlib.suppress(ChildProcessError, psutil.Error):
            while True:
                os.waitpid(-1, os.WNOHANG)
                for process in psutil.Process().children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        process.kill()
                os.waitpid(-1, 0)
        os._exit(ORPHANED)


def main() -> NoReturn:
    """Run the fork server: ``argv`` is directory, descriptors of socket and lifeline, the supervisor's process.

    Behind them stands the ``argv`` of that process (see `launcher`), for a script that looks at it where it is loaded.
    It is written to no file, as there may be secrets in it.
    """
    directory, connection, lifeline, supervisor, words = sys.argv[1:]
    sys.argv[:] = json.loads(base64.b64decode(words)) or [""]
    server = ForkServer(Path(directory), socket.socket(fileno=int(connection)), int(lifeline), int(supervisor))
    server.serve()
