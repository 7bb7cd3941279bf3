"""Submitting many, with several in flight over one stream."""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import grpc

from bss_client.bssv1 import broadcast_pb2, record_pb2
from bss_client.bssv1.broadcast_pb2_grpc import BroadcastServiceStub
from bss_client.connections import READ, Connections, Round
from bss_client.errors import DEADLINE, BssError, error_of, error_of_refusal, stopping
from bss_client.manager_watch import ManagerWatch
from bss_client.refusals import refusals

# A node may fail by a fault of its own this often in a row. After that, something in the
# submissions is taken to be the cause.
_FAULTS_MAX = 3
# The shortest wait before a refused submission is sent again.
_RETRY_WAIT_MIN_S = 0.05

OnReconnect = Callable[[BssError, int], None]
"""Takes why a stream was lost, and how many submissions are to be sent again."""


@dataclass(frozen=True)
class SubmissionOutcome:
    """What became of one submission. Call `or_raise`, or look at `refusals`: a record may have been
    refused although `refusal` is None."""

    index: int
    """The place of the submission in the source, from 0. Outcomes come as they are final, in any
    order."""
    submission: record_pb2.Submission
    response: broadcast_pb2.SubmitResponse | None
    """Has an outcome for each record, its place or an objection; None if the submission was refused
    as a whole."""
    refusal: BssError | None
    """Why it was refused as a whole; else None."""

    def or_raise(self) -> broadcast_pb2.SubmitResponse:
        """The response if all of the submission was taken; otherwise raises the refusal of the
        whole, or that of the first record that was refused."""
        for refusal in self.refusals():
            raise refusal
        return self.response or broadcast_pb2.SubmitResponse()

    def refusals(self) -> list[BssError]:
        """That of the whole submission, or those of its records; empty if all were taken."""
        if self.refusal is not None:
            return [self.refusal]
        return refusals(self.response or broadcast_pb2.SubmitResponse())


class _Stalled(BssError):
    """No outcome has come for too long, whichever manager was asked."""


class SubmitSession:
    """What outlives one stream.

        source ──read──▶ unanswered (at most in_flight_max) ──requests──▶ manager
                             ▲          │ answer                              │
           stream is lost ───┘          ▼                                     │
        all are sent again          outcomes ──▶ caller ◀─────────────────────┘

    Three threads meet at `_changed`: one reads the source, gRPC's own takes the requests, and the
    caller's takes the answers.
    """

    def __init__(
        self,
        connections: Connections,
        source: Iterable[record_pb2.Submission],
        in_flight_max: int,
        wait_for: broadcast_pb2.WaitFor,
        stall_timeout: float,
        on_reconnect: OnReconnect | None,
    ) -> None:
        if in_flight_max < 1 or stall_timeout <= 0:
            raise ValueError("in_flight_max and stall_timeout are above 0")
        self._connections = connections
        self._source = source
        self._in_flight_max = in_flight_max
        self._wait_for = wait_for
        self._stall_timeout = stall_timeout
        self._on_reconnect = on_reconnect

        self._changed = threading.Condition()
        # By number, from 1, in the order of the source.
        self._unanswered: dict[int, record_pb2.Submission] = {}
        self._count = 0
        self._ended = False
        self._over = False
        self._source_error: Exception | None = None
        self._progress = time.monotonic()
        self._last: BssError | None = None
        self._faults = 0
        # While the caller works on an outcome, no manager is late.
        self._yielding = False
        # Whether the last answers of this stream were refusals for overload.
        self._overloaded = False

    def outcomes(self) -> Iterator[SubmissionOutcome]:
        """Goes on from stream to stream until all is answered, or the caller breaks off."""
        threading.Thread(target=self._read, name="bss-source", daemon=True).start()
        turn = Round(self._connections)
        try:
            while True:
                address = self._connections.current()
                try:
                    yield from self._attempt(address, turn)
                    break
                except (grpc.RpcError, BssError, ValueError) as error:
                    # gRPC has a ValueError of its own for a channel that was closed.
                    self._connections.check_open()
                    failure = error_of(error)
                if not self._may_go_on(failure):
                    raise failure
                if self._since_progress() >= self._stall_timeout:
                    raise self._stall_error()
                wait = turn.leave(address, failure)
                if self._on_reconnect is not None:
                    self._on_reconnect(failure.at(address), len(self._unanswered))
                self._connections.pause(wait)
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()
        if self._source_error is not None:
            raise self._source_error

    def _read(self) -> None:
        """Takes submissions from the source as there is room for them."""
        try:
            source = iter(self._source)
            while True:
                with self._changed:
                    self._changed.wait_for(
                        lambda: self._over or len(self._unanswered) < self._in_flight_max
                    )
                    if self._over:
                        return
                submission = next(source, None)
                if submission is None:
                    return
                with self._changed:
                    if not self._unanswered:
                        self._progress = time.monotonic()
                    self._count += 1
                    self._unanswered[self._count] = submission
                    self._changed.notify_all()
        except Exception as error:
            self._source_error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _attempt(self, address: str, turn: Round) -> Iterator[SubmissionOutcome]:
        """Works on one stream to one manager: all that is unanswered is sent, and then the source.
        Returns when all is answered."""
        stub = BroadcastServiceStub(self._connections.channel(address, READ.attempt))
        requests = _Requests(self)
        call = stub.SubmitStream(iter(requests))
        answers = _Answers(call)
        self._overloaded = False
        watch = ManagerWatch(
            self._connections,
            address,
            is_due=lambda: bool(self._unanswered) and not self._yielding,
            is_overloaded=lambda: self._overloaded,
        )
        over: Future[None] = Future()
        left: list[BssError] = []

        def leave_for_better() -> None:
            why = watch.better(over)
            if why is not None:
                left.append(why)
                call.cancel()

        threading.Thread(target=leave_for_better, name="bss-watch", daemon=True).start()
        try:
            while True:
                due = self._stall_timeout - self._since_progress()
                if due <= 0:
                    raise self._stall_error()
                answer = answers.next(due)
                if isinstance(answer, Exception):
                    raise left[0] if left else answer
                if answer is _Answers.END:
                    if self.settled():
                        return
                    raise stopping("the node ended the stream before it had answered")
                if not isinstance(answer, broadcast_pb2.SubmitStreamResponse):
                    continue
                outcome = self._outcome_of(answer, requests)
                if outcome is not None:
                    turn.succeed()
                    watch.answered()
                    self._overloaded = False
                    self._yielding = True
                    yield outcome
                    self._yielding = False
                    with self._changed:
                        self._progress = time.monotonic()
        finally:
            over.set_result(None)
            requests.end()
            answers.end()

    def _outcome_of(
        self, answer: broadcast_pb2.SubmitStreamResponse, requests: _Requests
    ) -> SubmissionOutcome | None:
        """None for an answer without a result, and for a refusal after which the submission is sent
        again. An error says that another manager should be asked."""
        submission = self._unanswered.get(answer.request_id)
        result = answer.WhichOneof("result")
        if submission is None or result is None:
            return None
        refusal = None
        if result == "refusal":
            refusal = error_of_refusal(answer.refusal)
            if refusal.code is grpc.StatusCode.UNAVAILABLE:
                raise refusal
            if refusal.may_repeat:
                self._last = refusal
                self._overloaded = refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED
                requests.repeat(answer.request_id, max(refusal.retry_after, _RETRY_WAIT_MIN_S))
                return None
        with self._changed:
            del self._unanswered[answer.request_id]
            self._faults = 0
            self._changed.notify_all()
        return SubmissionOutcome(
            index=answer.request_id - 1,
            submission=submission,
            response=answer.response if result == "response" else None,
            refusal=refusal,
        )

    def _may_go_on(self, failure: BssError) -> bool:
        """Whether another stream is tried after an error."""
        if isinstance(failure, _Stalled):
            return False
        self._last = failure
        if failure.may_repeat:
            return True
        self._faults += 1
        return failure.is_fault and self._faults <= _FAULTS_MAX

    def settled(self) -> bool:
        """Whether the source has ended and all of it is answered."""
        with self._changed:
            return self._ended and not self._unanswered

    def _since_progress(self) -> float:
        """For how many seconds an outcome has been due; 0 while none is."""
        with self._changed:
            now = time.monotonic()
            if not self._unanswered:
                self._progress = now
            return now - self._progress

    def _stall_error(self) -> _Stalled:
        message = f"no outcome has come for {self._stall_timeout:g} s"
        if self._last is not None:
            message += f"; the last error was: {self._last.message}"
        return _Stalled(DEADLINE, grpc.StatusCode.DEADLINE_EXCEEDED, message)


class _Requests:
    """What is sent on one stream; gRPC takes the next one when the one before has gone out."""

    def __init__(self, session: SubmitSession) -> None:
        self._session = session
        self._changed = session._changed
        self._sent = 0
        self._over = False
        # When to send again what was refused, and its number.
        self._again: list[tuple[float, int]] = []
        with self._changed:
            self._pending = deque(session._unanswered)
            self._sent = session._count

    def __iter__(self) -> Generator[broadcast_pb2.SubmitStreamRequest, None, None]:
        while (number := self._next()) is not None:
            submission = self._session._unanswered.get(number)
            if submission is not None:
                yield broadcast_pb2.SubmitStreamRequest(
                    request_id=number, submission=submission, wait_for=self._session._wait_for
                )

    def _next(self) -> int | None:
        """The number of the next one to send; None when all is answered, or the stream is over."""
        session = self._session
        with self._changed:
            while not self._over and not session.settled():
                if self._pending:
                    return self._pending.popleft()
                if self._sent < session._count:
                    self._sent += 1
                    return self._sent
                wait = None
                if self._again:
                    wait = self._again[0][0] - time.monotonic()
                    if wait <= 0:
                        return heapq.heappop(self._again)[1]
                self._changed.wait(wait)
            return None

    def repeat(self, number: int, after: float) -> None:
        with self._changed:
            heapq.heappush(self._again, (time.monotonic() + after, number))
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()


class _Call(Protocol):
    """What gRPC gives for a stream."""

    def __iter__(self) -> Iterator[broadcast_pb2.SubmitStreamResponse]: ...

    def cancel(self) -> object: ...


class _End:
    """A stream that has ended in good order."""


class _Answers:
    """Reads a stream in a thread of its own, so that its reader can wait for a limited time. It
    reads one answer ahead, and no more."""

    END = _End()

    def __init__(self, call: _Call) -> None:
        self._call = call
        self._over = False
        self._read: queue.Queue[broadcast_pb2.SubmitStreamResponse | Exception | _End]
        self._read = queue.Queue(maxsize=1)
        threading.Thread(target=self._run, name="bss-answers", daemon=True).start()

    def _run(self) -> None:
        try:
            for answer in self._call:
                if self._over:
                    return
                self._read.put(answer)
            last: Exception | _End = self.END
        except Exception as error:
            last = error
        if not self._over:
            self._read.put(last)

    def next(self, timeout: float) -> broadcast_pb2.SubmitStreamResponse | Exception | _End | None:
        """The next answer, or how the stream ended; None when time is up."""
        try:
            return self._read.get(timeout=timeout)
        except queue.Empty:
            return None

    def end(self) -> None:
        self._over = True
        self._call.cancel()
        # Frees the thread if it waits for its answer to be taken.
        while not self._read.empty():
            self._read.get_nowait()
