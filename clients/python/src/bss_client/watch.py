"""Watching the blocks as they become final."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import grpc

from bss_client.bssv1 import query_pb2
from bss_client.bssv1.query_pb2_grpc import QueryServiceStub
from bss_client.connections import READ, UNREACHABLE_TIMEOUT_S, Connections, Round
from bss_client.errors import BssError, UntrueAnswer, error_of, stopping, unreachable
from bss_client.read import Reader
from bss_client.verify import Block, Genesis, Problem, verify_final

OnResume = Callable[[BssError, int], None]
"""Takes why a stream was lost, and the next height."""


def watch_blocks(
    reader: Reader,
    connections: Connections,
    from_height: int,
    on_reconnect: OnResume | None,
) -> Iterator[Block]:
    """See `Client.watch_blocks`."""
    # Fixed before the first stream: "after the head" would skip blocks when a later one begins.
    following = from_height or reader.get_status().height + 1
    last: Block | None = None
    # When the first attempt failed.
    failing: float | None = None
    turn = Round(connections)
    while True:
        address = connections.current()
        try:
            channel = connections.channel(address, READ.attempt)
            for view in _stream(channel, following):
                last = _checked(view, following, last, reader.genesis)
                following = last.height + 1
                turn.succeed()
                yield last
            raise stopping("the node ended the stream")
        except (grpc.RpcError, BssError, ValueError) as error:
            connections.check_open()
            failure = error_of(error)
        if not failure.may_repeat and not failure.is_fault:
            raise failure
        failing = failing or time.monotonic()
        wait = turn.leave(address, failure)
        is_nobody_there = last is None and turn.none_reachable()
        if is_nobody_there and time.monotonic() - failing + wait > UNREACHABLE_TIMEOUT_S:
            raise turn.summary(failure)
        if on_reconnect is not None:
            on_reconnect(failure.at(address), following)
        connections.pause(wait)


def _stream(channel: grpc.Channel, from_height: int) -> Iterator[query_pb2.BlockView]:
    """One stream of one manager, until it ends or the caller takes no more."""
    request = query_pb2.WatchBlocksRequest(from_height=from_height)
    call = QueryServiceStub(channel).WatchBlocks(request)
    try:
        for answer in call:
            yield answer.block
    finally:
        call.cancel()


def _checked(
    view: query_pb2.BlockView, height: int, previous: Block | None, genesis: Genesis
) -> Block:
    if view.height != height:
        # A manager that breaks the order is treated like one that cannot be reached.
        raise unreachable("it sent another block than the next one")
    try:
        block = verify_final(view, genesis)
    except Problem as problem:
        raise UntrueAnswer(f"a block that was sent does not hold: {problem}") from problem
    if previous is not None and block.previous_id != previous.id:
        raise UntrueAnswer(f"block {height} does not follow the block before it: a fork")
    return block
