"""The connections to the managers of a profile, and how a call moves from one to the next."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

import grpc

from bss_client.bssv1 import query_pb2
from bss_client.bssv1.query_pb2_grpc import QueryServiceStub
from bss_client.errors import CANCELLED, BssError, error_of
from bss_client.manager_watch import ASK_TIMEOUT_S, SILENCES_S, ManagerWatch
from bss_client.profile import Profile
from bss_client.tls import open_channel

Q = TypeVar("Q")
T = TypeVar("T")

# A call that says nothing else ends after this time if no manager can be reached.
UNREACHABLE_TIMEOUT_S = 3.0
_BACKOFF_MIN_S = 0.1
_BACKOFF_MAX_S = 2.0


@dataclass(frozen=True)
class Limits:
    """How long a call may take over all its attempts, and one attempt, in seconds."""

    call: float
    attempt: float


# One attempt ends early, so that other managers can be asked after it.
READ = Limits(call=30.0, attempt=10.0)
# A manager answers such a call when a block is final, or says what is missing: one attempt gets the
# whole time.
FINAL = Limits(call=60.0, attempt=60.0)


class Connections:
    """One channel for each manager. The manager that answered last is asked first."""

    def __init__(self, profile: Profile) -> None:
        self.addresses = profile.addresses
        self._profile = profile
        self._lock = threading.Lock()
        self._open: dict[str, grpc.Channel] = {}
        self._current = 0
        self._closing = threading.Event()

    def current(self) -> str:
        """The address of the manager to ask now."""
        with self._lock:
            return self.addresses[self._current]

    def channel(self, address: str, timeout: float) -> grpc.Channel:
        with self._lock:
            self.check_open()
            channel = self._open.get(address)
        if channel is not None:
            return channel
        # Outside of the lock, because it takes as long as the manager does. Two callers may open a
        # channel each; the first one's is used.
        opened = open_channel(self._profile, address, timeout)
        with self._lock:
            self.check_open()
            return self._open.setdefault(address, opened)

    def leave(self, address: str, failure: BssError) -> None:
        """Turns to the next manager, unless another call has done so already."""
        with self._lock:
            if failure.is_unreachable:
                # Other calls may still use the channel, so it is let go and not closed.
                self._open.pop(address, None)
            if self.addresses[self._current] == address:
                self._current = (self._current + 1) % len(self.addresses)

    def after(self, address: str) -> tuple[str, ...]:
        """The other addresses, in the order in which to try them."""
        at = self.addresses.index(address)
        return self.addresses[at + 1 :] + self.addresses[:at]

    def turn(self, address: str) -> None:
        """Makes this manager the current one."""
        with self._lock:
            self._current = self.addresses.index(address)

    def status_of(self, address: str) -> query_pb2.GetStatusResponse | None:
        """What one manager says about itself, without asking another in its place; None if it says
        nothing for a while."""
        deadline = time.monotonic() + ASK_TIMEOUT_S
        try:
            stub = QueryServiceStub(self.channel(address, ASK_TIMEOUT_S))
            left = max(0.0, deadline - time.monotonic())
            return stub.GetStatus(query_pb2.GetStatusRequest(), timeout=left)
        except (grpc.RpcError, BssError, ValueError):
            # gRPC has a ValueError of its own for a channel that was closed.
            return None

    def check_open(self) -> None:
        if self._closing.is_set():
            raise BssError(CANCELLED, grpc.StatusCode.CANCELLED, "the client is closed")

    def pause(self, seconds: float) -> None:
        self._closing.wait(seconds)
        self.check_open()

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            for channel in self._open.values():
                channel.close()
            self._open.clear()


class Round:
    """One turn of a call through the managers."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._failed: dict[str, BssError] = {}
        self._failures = 0
        self._ceiling = _BACKOFF_MIN_S

    def leave(self, address: str, failure: BssError) -> float:
        """Turns to the next manager and says how many seconds to wait before it is asked.

        There is no wait while some have not failed in this round; then it is as long as the last
        one asked for or the client's own backoff, whichever is longer. Raises if TLS refuses every
        manager, as it would do so again.
        """
        self._failed[address] = failure
        self._connections.leave(address, failure)
        self._failures += 1
        if self._all_fail(lambda each: each.tls_refused):
            raise self.summary(failure)
        if self._failures % len(self._connections.addresses) != 0:
            return 0
        wait = self._ceiling * random.uniform(0.5, 1)
        self._ceiling = min(self._ceiling * 2, _BACKOFF_MAX_S)
        return max(wait, failure.retry_after)

    def succeed(self) -> None:
        """Notes that a manager has answered."""
        self._failures, self._ceiling = 0, _BACKOFF_MIN_S
        self._failed.clear()

    def none_reachable(self) -> bool:
        return self._all_fail(lambda each: each.is_unreachable)

    def _all_fail(self, how: Callable[[BssError], bool]) -> bool:
        addresses = self._connections.addresses
        return all(each in self._failed and how(self._failed[each]) for each in addresses)

    def summary(self, last: BssError) -> BssError:
        """One error that says what each manager failed with. What a node answered says more than
        that another one did not answer."""
        if len(self._failed) <= 1 and last.is_answer:
            return last
        failures = [each for each in (last, *self._failed.values()) if each.is_answer]
        telling = failures[0] if failures else last
        said = [
            f"{address}: {self._failed[address].message}"
            for address in dict.fromkeys(self._connections.addresses)
            if address in self._failed
        ]
        return telling.saying(f"no manager could answer: {'; '.join(said)}")


def ask(
    connections: Connections,
    limits: Limits,
    timeout: float | None,
    method: Callable[[grpc.Channel], grpc.UnaryUnaryMultiCallable[Q, T]],
    request: Q,
) -> T:
    """Calls a method at one manager after the other, and waits when all have been tried.

    It ends when a call succeeds, when it fails for a reason that another manager would give too,
    when TLS refuses every manager, or when time is up. A manager that is silent is left before its
    time is up if another one is better; see `ManagerWatch`.
    """
    start = time.monotonic()
    deadline = start + (limits.call if timeout is None else timeout)
    attempt_max = limits.attempt
    if timeout is not None and limits is FINAL:
        attempt_max = max(attempt_max, timeout)
    turn = Round(connections)
    said: BssError | None = None
    while True:
        address = connections.current()
        left = min(deadline - time.monotonic(), attempt_max)
        try:
            call = method(connections.channel(address, left)).future(request, timeout=left)
            return _answer_of(call, ManagerWatch(connections, address))
        except (grpc.RpcError, BssError, ValueError) as error:
            # gRPC has a ValueError of its own for a channel that was closed.
            connections.check_open()
            failure = error_of(error)
        if not failure.may_repeat:
            raise failure
        now = time.monotonic()
        if said is not None and now >= deadline:
            # What managers said before tells more than that time was up during the last attempt.
            raise turn.summary(said)
        said = failure
        wait = turn.leave(address, failure)
        until = deadline
        if timeout is None and turn.none_reachable():
            until = start + UNREACHABLE_TIMEOUT_S
        if now + wait > until:
            raise turn.summary(failure)
        connections.pause(wait)


def _answer_of(call: grpc.Future[T], watch: ManagerWatch) -> T:
    """Waits for the answer; raises what the call fails with, or why its manager is left."""
    over: Future[None] = Future()
    try:
        with contextlib.suppress(grpc.FutureTimeoutError):
            # Most answers come before the first look, and need nothing of what it takes.
            return call.result(timeout=SILENCES_S[0])
        call.add_done_callback(lambda _: over.set_result(None))
        why = watch.better(over, first_pause=0)
        if why is None:
            return call.result()
        raise why
    finally:
        # Also ends it for a caller whom a signal interrupts.
        call.cancel()
