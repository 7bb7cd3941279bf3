"""Looks, while a manager owes an answer, whether another one would give it sooner.

A block may take a while, and then no other manager is faster: all wait for the same signatures. So
silence alone is no reason to leave. After some of it the manager and others of the profile are
asked for their status. The client goes on to another one only if that one is fit, and its own does
not even answer this, has halted, signs nothing, is far behind, is overloaded while the other has
less to do, or gives no answer for long while others add block after block. A manager may lie about
itself: what height is usual, most of those that are asked have to say. Looks become rarer, so that
clients do not wander about. What is sent again has the same bytes, which the ledger takes once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, Protocol

import grpc

from bss_client.bssv1 import query_pb2
from bss_client.errors import GOING_ON_AT, UNREACHABLE, BssError

Status = query_pb2.GetStatusResponse

# How long a silence lasts before the first look, and then before each further one.
SILENCES_S = (1.5, 3.0, 6.0, 12.0, 24.0)
# A manager that does not say how it is within this time is silent.
ASK_TIMEOUT_S = 2.0
# Besides the manager in use; a profile may name a hundred.
_OTHERS_MAX = 6
# Managers that keep up differ by a block or two.
_BEHIND_MAX = 5
# What is taken is on the ledger some blocks later, if its manager is honest.
_VAIN_LOOKS, _VAIN_BLOCKS = 4, 10


class WatchedManagers(Protocol):
    """The managers of a profile."""

    def status_of(self, address: str) -> Status | None:
        """What the manager says about itself; None if it says nothing for `ASK_TIMEOUT_S`."""

    def after(self, address: str) -> Sequence[str]:
        """The other addresses, in the order in which to try them."""

    def turn(self, address: str) -> None:
        """Makes this manager the current one."""


class ManagerWatch:
    """Watches the manager at `address`, which owes an answer."""

    def __init__(
        self,
        managers: WatchedManagers,
        address: str,
        *,
        is_due: Callable[[], bool] = lambda: True,
        is_overloaded: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_due` says whether an answer is due, `is_overloaded` whether the manager refuses for
        overload at present."""
        self._managers = managers
        self._address = address
        self._is_due = is_due
        self._is_overloaded = is_overloaded
        # Goes up with each answer, so that a look knows whether one came meanwhile.
        self._answers = 0

    def answered(self) -> None:
        """The manager has answered: the silence begins anew."""
        self._answers += 1

    def better(self, over: Future[None], first_pause: float = SILENCES_S[0]) -> BssError | None:
        """Waits until the call should be made at the manager that is the current one then, and says
        why; None when `over` is done before."""
        if not self._managers.after(self._address):
            wait([over])
            return None
        looks, first_height, pause = 0, 0, first_pause
        while True:
            before = self._answers
            if self._pause(over, pause):
                return None
            if self._is_silent(before):
                looks += 1
                own, others = self._ask(over)
                usual = _usual_height(others.values())
                first_height = usual if looks == 1 else first_height
                is_vain = looks >= _VAIN_LOOKS and usual - first_height > _VAIN_BLOCKS
                found = self._find(own, others, usual, is_vain)
                if over.done():
                    return None
                if found is not None and self._is_silent(before):
                    self._managers.turn(found.metadata[GOING_ON_AT])
                    return found
            if self._answers != before:
                looks = 0
            pause = SILENCES_S[min(looks, len(SILENCES_S) - 1)]

    def _pause(self, over: Future[None], seconds: float) -> bool:
        """Waits; whether `over` is done."""
        return bool(wait([over], seconds).done)

    def _is_silent(self, answers_before: int) -> bool:
        return self._answers == answers_before and self._is_due()

    def _ask(self, over: Future[None]) -> tuple[Status | None, dict[str, Status | None]]:
        """The statuses of the manager and of others, which are asked all at once."""
        others = self._managers.after(self._address)[:_OTHERS_MAX]
        asked = {address: self._asked(address) for address in (self._address, *others)}
        while not over.done() and not all(each.done() for each in asked.values()):
            pending: list[Future[Any]] = [each for each in asked.values() if not each.done()]
            wait([over, *pending], return_when=FIRST_COMPLETED)
        said = {address: each.result() if each.done() else None for address, each in asked.items()}
        return said.pop(self._address), said

    def _asked(self, address: str) -> Future[Status | None]:
        answer: Future[Status | None] = Future()

        def ask() -> None:
            try:
                answer.set_result(self._managers.status_of(address))
            except Exception:
                answer.set_result(None)

        threading.Thread(target=ask, name="bss-status", daemon=True).start()
        return answer

    def _find(
        self, own: Status | None, others: dict[str, Status | None], usual: int, is_vain: bool
    ) -> BssError | None:
        """Why to go on at the first manager that is better; None if none is."""
        for address, other in others.items():
            if other is None or _unfit(other):
                continue
            reason = _reason_to_leave(own, other, usual, self._is_overloaded(), is_vain)
            if reason:
                return BssError(
                    UNREACHABLE,
                    grpc.StatusCode.UNAVAILABLE,
                    f"{self._address} {reason}; going on at {address}",
                    metadata={GOING_ON_AT: address},
                )
        return None


def _unfit(status: Status) -> str:
    """What the manager says itself, without a full stop; empty for one that is fit."""
    if status.halted:
        return "has halted"
    return f"signs nothing: {status.abstaining}" if status.abstaining else ""


def _usual_height(statuses: Iterable[Status | None]) -> int:
    """The lower median of what others say, so that a few cannot draw clients to them; 0 for
    none."""
    heights = sorted(status.height for status in statuses if status is not None)
    return heights[(len(heights) - 1) // 2] if heights else 0


def _reason_to_leave(
    own: Status | None, other: Status, usual: int, is_overloaded: bool, is_vain: bool
) -> str:
    """Why to leave a manager with this status for a fit one; empty for no reason."""
    if own is None:
        return "is silent"
    behind = min(other.height, usual) - own.height
    if behind > _BEHIND_MAX:
        return f"is {behind} blocks behind"
    if is_overloaded and 2 * other.pool_submissions < own.pool_submissions:
        return "is overloaded"
    return _unfit(own) or ("gives no answer while blocks are added" if is_vain else "")
