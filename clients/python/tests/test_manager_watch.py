import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import grpc
import pytest
from test_streams import answer_all, silent, submissions
from world import STOPPING, Manager, Refusal, World

from bss_client import BssError
from bss_client.bssv1 import broadcast_pb2, query_pb2, record_pb2
from bss_client.connections import UNREACHABLE_TIMEOUT_S, Connections, Round
from bss_client.manager_watch import SILENCES_S, ManagerWatch

Status = query_pb2.GetStatusResponse


def fit(**changed: int | str) -> Status:
    return Status(**{"height": 100, "pool_submissions": 10, **changed})  # type: ignore[arg-type]


HALTED = fit(halted="it saw a fork")


@dataclass
class Managers:
    """What each manager of a profile says; None for one that says nothing. "a" owes the answer."""

    says: list[Status | None]
    asked: list[str] = field(default_factory=list)
    turned: list[str] = field(default_factory=list)

    @property
    def addresses(self) -> list[str]:
        return [chr(ord("a") + i) for i in range(len(self.says))]

    def status_of(self, address: str) -> Status | None:
        self.asked.append(address)
        return self.says[self.addresses.index(address)]

    def after(self, address: str) -> list[str]:
        at = self.addresses.index(address)
        return self.addresses[at + 1 :] + self.addresses[:at]

    def turn(self, address: str) -> None:
        self.turned.append(address)


class Looks(ManagerWatch):
    """Looks after so many silences, which take no time and begin with `step`."""

    def __init__(
        self,
        managers: Managers,
        count: int,
        overloaded: bool = False,
        step: Callable[["Looks", int], None] = lambda watch, look: None,
    ) -> None:
        self.due = True
        self.waits: list[float] = []
        super().__init__(managers, "a", is_due=lambda: self.due, is_overloaded=lambda: overloaded)
        self._count, self._step = count, step
        over: Future[None] = Future()
        if len(managers.says) == 1:
            over.set_result(None)
        left = self.better(over)
        self.why = left.message if left else ""

    def _pause(self, over: Future[None], seconds: float) -> bool:
        if len(self.waits) == self._count:
            return True
        self._step(self, len(self.waits))
        self.waits.append(seconds)
        return False


@pytest.mark.parametrize(
    "own, why",
    [
        (None, "is silent"),
        (HALTED, "has halted"),
        (fit(abstaining="its log is gone"), "signs nothing: its log is gone"),
        (fit(height=90), "is 10 blocks behind"),
    ],
)
def test_a_manager_that_owes_an_answer_is_left_for_one_that_is_fit(
    own: Status | None, why: str
) -> None:
    managers = Managers([own, None, HALTED, fit()])
    looks = Looks(managers, 9)
    assert looks.why == f"a {why}; going on at d"
    assert (looks.waits, managers.turned) == ([SILENCES_S[0]], ["d"])


@pytest.mark.parametrize(
    "says",
    [
        # It is as fit as others, no other one is better, another one only claims to be far ahead,
        # it has the only address, and it does not refuse for overload.
        [fit(), fit(height=104)],
        [None, None, HALTED],
        [fit(), fit(height=1 << 50), fit(), fit()],
        [None],
        [fit(pool_submissions=1000), fit()],
    ],
)
def test_a_manager_that_owes_an_answer_is_kept(says: list[Status | None]) -> None:
    managers = Managers(says)
    assert Looks(managers, 5).why == ""
    assert managers.turned == []


def test_others_are_asked_ever_more_rarely() -> None:
    managers = Managers([fit(), fit()])
    assert Looks(managers, 6).waits == [*SILENCES_S, SILENCES_S[-1]]
    assert len(managers.asked) == 12


@pytest.mark.parametrize("pool, why", [(499, "a is overloaded; going on at b"), (500, "")])
def test_it_is_left_for_overload_only_if_another_has_less_than_half_to_do(
    pool: int, why: str
) -> None:
    managers = Managers([fit(pool_submissions=1000), fit(pool_submissions=pool)])
    assert Looks(managers, 1, overloaded=True).why == why


@pytest.mark.parametrize(
    "blocks, why", [(10, ""), (11, "a gives no answer while blocks are added; going on at b")]
)
def test_it_is_left_when_nothing_comes_of_what_it_takes(blocks: int, why: str) -> None:
    managers = Managers([fit(), fit(), fit()])
    heights = [20, 90, 100, 100, 100, 100 + blocks]

    def step(watch: Looks, look: int) -> None:
        if look == 1:
            # An answer begins the silence anew.
            watch.answered()
        managers.says = [fit(height=heights[look])] * 3

    assert Looks(managers, len(heights), step=step).why == why


def test_it_is_not_looked_at_while_nothing_is_due_or_when_it_answers() -> None:
    managers = Managers([None, fit()])

    def step(watch: Looks, look: int) -> None:
        watch.due = look == 3
        if look == 3:
            watch.answered()

    Looks(managers, 4, step=step)
    assert managers.asked == []


def test_a_manager_that_was_left_was_reached(world: World) -> None:
    world.addresses.extend(["a", "b"])
    connections: Connections = world.connect()._connections
    turn = Round(connections)
    reason = "its certificate has expired"
    turn.leave("a", _left_by(Managers([fit(abstaining=reason), fit()])))
    turn.leave("b", BssError("NODE_UNREACHABLE", grpc.StatusCode.UNAVAILABLE, "refused"))
    assert not turn.none_reachable()


def _left_by(managers: Managers) -> BssError:
    why = ManagerWatch(managers, "a")
    why._pause = lambda over, seconds: False  # type: ignore[method-assign]
    left = why.better(Future())
    assert left is not None
    assert left.retryable
    return left


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of one that accepts connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def answering(seen: list[record_pb2.Submission]) -> Manager:
    def answer(request: broadcast_pb2.SubmitRequest) -> broadcast_pb2.SubmitResponse:
        seen.append(request.submission)
        return broadcast_pb2.SubmitResponse(outcomes=[broadcast_pb2.RecordOutcome()])

    return Manager(on_submit=answer, status=Status())


def test_a_call_leaves_one_that_never_says_a_word(world: World, mute: str) -> None:
    world.addresses.append(mute)
    seen: list[record_pb2.Submission] = []
    world.start("manager-2", answering(seen))
    client = world.connect()
    submission = client.sign(b"a record")
    assert len(client.submit(submission).outcomes) == 1
    assert seen == [submission]


def test_a_call_leaves_one_that_took_it_and_died_with_the_same_bytes(world: World) -> None:
    stop = threading.Event()
    seen: list[record_pb2.Submission] = []

    def take(request: broadcast_pb2.SubmitRequest) -> broadcast_pb2.SubmitResponse:
        seen.append(request.submission)
        stop.wait(20)
        raise STOPPING

    world.start("manager-1", Manager(on_submit=take, status=Status(abstaining="its disk is full")))
    world.start("manager-2", answering(seen))
    client = world.connect()
    submission = client.sign(b"a record")
    assert len(client.submit(submission).outcomes) == 1
    assert seen == [submission, submission]
    stop.set()


def test_a_stream_leaves_one_that_gives_no_outcomes(world: World) -> None:
    world.start("manager-1", Manager(on_stream=silent, status=HALTED))
    world.start("manager-2", Manager(on_stream=answer_all(), status=fit()))
    lost: list[str] = []
    outcomes = world.connect().submit_stream(
        submissions(5), on_reconnect=lambda error, count: lost.append(error.message)
    )
    assert len(list(outcomes)) == 5
    first, second = world.addresses
    assert lost == [f"{first} has halted; going on at {second}"]


def test_a_watch_that_reaches_nobody_ends_like_a_call(world: World) -> None:
    world.addresses.append("127.0.0.1:1")
    with pytest.raises(BssError) as failed:
        list(world.connect().watch_blocks(1))
    assert failed.value.reason == "NODE_UNREACHABLE"


def test_a_watch_that_has_begun_waits_without_end(world: World) -> None:
    def watch(from_height: int) -> Iterator[query_pb2.BlockView]:
        if from_height > 1:
            wait_ms = int((UNREACHABLE_TIMEOUT_S + 1) * 1000)
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "NODE_UNREACHABLE", retry_after_ms=wait_ms)
        yield world.blocks[0]

    world.start("manager-1", Manager(on_watch=watch))
    client = world.connect()
    lost: list[BssError] = []

    def on_reconnect(error: BssError, height: int) -> None:
        lost.append(error)
        if len(lost) == 2:
            client.close()

    with pytest.raises(BssError) as ended:
        list(client.watch_blocks(1, on_reconnect=on_reconnect))
    assert ended.value.reason == "CANCELLED"
