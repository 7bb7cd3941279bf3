import threading
from collections.abc import Callable, Iterator

import pytest
from test_streams import Answers, Requests, silent, submissions
from world import STOPPING, Context, Manager, World

from bss_client import BssError
from bss_client.bssv1 import broadcast_pb2, query_pb2

ENDED_WITHIN_S = 20


def ends_when_closed(
    close: Callable[[], None], ready: threading.Event, run: Callable[[], object]
) -> None:
    """Closes the client once it is ready, and wants the call to end with CANCELLED."""
    ended: list[BaseException | None] = []

    def work() -> None:
        try:
            run()
            ended.append(None)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(ENDED_WITHIN_S)
    close()
    thread.join(ENDED_WITHIN_S)
    assert len(ended) == 1, "it goes on after close"
    assert isinstance(ended[0], BssError)
    assert ended[0].reason == "CANCELLED"


def test_close_ends_a_watch(world: World) -> None:
    ready, stop = threading.Event(), threading.Event()

    def watch(from_height: int) -> Iterator[query_pb2.BlockView]:
        ready.set()
        stop.wait(ENDED_WITHIN_S)
        return iter(())

    world.start("manager-1", Manager(on_watch=watch))
    client = world.connect()
    ends_when_closed(client.close, ready, lambda: list(client.watch_blocks(1)))
    stop.set()


def test_close_ends_a_watch_that_waits_for_a_manager(world: World) -> None:
    world.start("manager-1", Manager(on_watch=lambda from_height: []))
    ready = threading.Event()
    lost: list[BssError] = []

    def on_reconnect(error: BssError, height: int) -> None:
        lost.append(error)
        if len(lost) == 3:
            ready.set()

    client = world.connect()
    ends_when_closed(
        client.close, ready, lambda: list(client.watch_blocks(1, on_reconnect=on_reconnect))
    )
    assert all(world.addresses[0] in error.message for error in lost)


def test_close_ends_a_stream(world: World) -> None:
    ready = threading.Event()

    def stream(requests: Requests, context: Context) -> Answers:
        ready.set()
        return silent(requests, context)

    world.start("manager-1", Manager(on_stream=stream))
    client = world.connect()
    ends_when_closed(client.close, ready, lambda: list(client.submit_stream(submissions(3))))


def test_close_ends_a_call(world: World) -> None:
    ready, stop = threading.Event(), threading.Event()

    def submit(request: broadcast_pb2.SubmitRequest) -> broadcast_pb2.SubmitResponse:
        ready.set()
        stop.wait(ENDED_WITHIN_S)
        raise STOPPING

    world.start("manager-1", Manager(on_submit=submit))
    client = world.connect()
    ends_when_closed(client.close, ready, lambda: client.submit(client.sign(b"a record")))
    stop.set()


def test_a_deadline_of_the_clients_own_may_be_retried(world: World) -> None:
    stop = threading.Event()

    def submit(request: broadcast_pb2.SubmitRequest) -> broadcast_pb2.SubmitResponse:
        stop.wait(ENDED_WITHIN_S)
        raise STOPPING

    world.start("manager-1", Manager(on_submit=submit))
    client = world.connect()
    with pytest.raises(BssError) as late:
        client.submit(client.sign(b"a record"), timeout=0.3)
    assert late.value.reason == "DEADLINE"
    assert late.value.retryable
    assert late.value.retry_after == 1
    stop.set()
