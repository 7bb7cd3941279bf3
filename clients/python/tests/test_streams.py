from collections.abc import Callable, Iterable, Iterator

import grpc
import pytest
from world import STOPPING, Context, Manager, World, wait_until_over

from bss_client import BssError, SubmissionOutcome, UntrueAnswer, verify
from bss_client.bssv1 import broadcast_pb2, query_pb2, record_pb2

Requests = Iterator[broadcast_pb2.SubmitStreamRequest]
Answers = Iterator[broadcast_pb2.SubmitStreamResponse]


def submissions(count: int) -> list[record_pb2.Submission]:
    return [record_pb2.Submission(header=str(i).encode()) for i in range(count)]


def answer_all(until: int | None = None) -> Callable[[Requests, Context], Answers]:
    """Answers each request with its own bytes, until it has answered so many."""

    def stream(requests: Requests, context: Context) -> Answers:
        for answered, request in enumerate(requests):
            if answered == until:
                raise STOPPING
            outcome = broadcast_pb2.RecordOutcome(record_hash=request.submission.header)
            response = broadcast_pb2.SubmitResponse(outcomes=[outcome])
            yield broadcast_pb2.SubmitStreamResponse(
                request_id=request.request_id, response=response
            )

    return stream


def headers(outcomes: Iterable[SubmissionOutcome]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for outcome in outcomes:
        assert outcome.index not in found, "two outcomes of one submission"
        assert outcome.response is not None
        found[outcome.index] = outcome.response.outcomes[0].record_hash
    return found


def test_a_stream_survives_its_loss_with_one_outcome_for_each(world: World) -> None:
    world.start("manager-1", Manager(on_stream=answer_all(5)))
    world.start("manager-2", Manager(on_stream=answer_all(7)))
    world.start("manager-3", Manager(on_stream=answer_all()))
    lost: list[int] = []
    outcomes = world.connect().submit_stream(
        submissions(40), in_flight_max=4, on_reconnect=lambda error, count: lost.append(count)
    )
    assert headers(outcomes) == {i: str(i).encode() for i in range(40)}
    assert len(lost) == 2


def refusal_of(
    request: broadcast_pb2.SubmitStreamRequest, code: grpc.StatusCode, retry_after_ms: int = 0
) -> broadcast_pb2.SubmitStreamResponse:
    refusal = broadcast_pb2.Refusal(
        code=code.value[0], reason="A_REASON", retry_after_ms=retry_after_ms
    )
    return broadcast_pb2.SubmitStreamResponse(request_id=request.request_id, refusal=refusal)


def test_a_stream_takes_no_more_than_fits_and_sends_later_what_is_refused_now(
    world: World,
) -> None:
    def stream(requests: Requests, context: Context) -> Answers:
        yield refusal_of(next(requests), grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after_ms=1)
        yield from answer_all()(requests, context)

    world.start("manager-1", Manager(on_stream=stream))
    taken = 0

    def source() -> Iterator[record_pb2.Submission]:
        nonlocal taken
        for submission in submissions(30):
            taken += 1
            yield submission

    seen = 0
    for _ in world.connect().submit_stream(source(), in_flight_max=3):
        seen += 1
        # Those in flight, and those whose outcome has come.
        assert taken <= seen + 3
    assert seen == 30


def test_a_stream_gives_refusals_and_ends_with_its_callers_loop(world: World) -> None:
    def stream(requests: Requests, context: Context) -> Answers:
        for request in requests:
            yield refusal_of(request, grpc.StatusCode.INVALID_ARGUMENT)

    world.start("manager-1", Manager(on_stream=stream))
    for outcome in world.connect().submit_stream(submissions(9)):
        assert outcome.response is None
        assert outcome.refusal is not None
        assert outcome.refusal.reason == "A_REASON"
        break


def test_a_source_that_fails_is_told_after_what_it_gave(world: World) -> None:
    def source() -> Iterator[record_pb2.Submission]:
        yield from submissions(3)
        raise LookupError("no more")

    world.start("manager-1", Manager(on_stream=answer_all()))
    seen = []
    with pytest.raises(LookupError):
        for outcome in world.connect().submit_stream(source()):
            seen.append(outcome.index)
    assert sorted(seen) == [0, 1, 2]


def test_an_empty_source_has_no_outcomes(world: World) -> None:
    world.start("manager-1", Manager(on_stream=answer_all()))
    assert list(world.connect().submit_stream([])) == []


def silent(requests: Requests, context: Context) -> Answers:
    wait_until_over(context)
    return iter(())


def broken(requests: Requests, context: Context) -> Answers:
    raise STOPPING


@pytest.mark.parametrize("behaviour", [silent, broken])
def test_a_stream_that_stalls_says_so(
    world: World, behaviour: Callable[[Requests, Context], Answers]
) -> None:
    world.start("manager-1", Manager(on_stream=behaviour))
    with pytest.raises(BssError) as stalled:
        list(world.connect().submit_stream(submissions(1), stall_timeout=0.1))
    assert stalled.value.reason == "DEADLINE"


def blocks_until(world: World, until: int) -> Callable[[int], list[query_pb2.BlockView]]:
    """Blocks from the height that is asked for up to another one; then the stream ends."""
    return lambda from_height: world.blocks[from_height - 1 : until]


def test_watch_goes_on_without_gap_or_repeat(world: World) -> None:
    for number, until in enumerate([5, 12, 20], 1):
        world.start(f"manager-{number}", Manager(on_watch=blocks_until(world, until)))
    resumed: list[int] = []
    heights = []
    for block in world.connect().watch_blocks(
        2, on_reconnect=lambda error, height: resumed.append(height)
    ):
        heights.append(block.height)
        if block.height == 20:
            break
    assert heights == list(range(2, 21))
    assert resumed == [6, 13]


def test_watch_starts_after_the_head(world: World) -> None:
    status = query_pb2.GetStatusResponse(height=7)
    world.start("manager-1", Manager(on_watch=blocks_until(world, 20), status=status))
    assert next(world.connect().watch_blocks()).height == 8


def less_a_leaf(view: query_pb2.BlockView) -> None:
    del view.block.leaves[0]


def with_a_wrong_signature(view: query_pb2.BlockView) -> None:
    signature = view.certificates.commit.signatures[0]
    signature.signature = signature.signature[:9] + b"\x00" + signature.signature[10:]


def with_an_unknown_field(view: query_pb2.BlockView) -> None:
    view.certificates.commit.MergeFromString(b"\x98\x06\x01")


def without_certificates(view: query_pb2.BlockView) -> None:
    view.ClearField("certificates")


@pytest.mark.parametrize(
    "forge", [less_a_leaf, with_a_wrong_signature, with_an_unknown_field, without_certificates]
)
def test_watch_refuses_what_does_not_hold(
    world: World, forge: Callable[[query_pb2.BlockView], None]
) -> None:
    forge(world.blocks[2])
    world.start("manager-1", Manager(on_watch=blocks_until(world, 20)))
    heights = []
    with pytest.raises(UntrueAnswer) as lie:
        for block in world.connect().watch_blocks(1):
            heights.append(block.height)
            assert block.height <= 2, "it was given"
    assert isinstance(lie.value.__cause__, verify.Problem)


def test_watch_leaves_a_manager_that_skips_a_block(world: World) -> None:
    world.start("manager-1", Manager(on_watch=lambda from_height: [world.blocks[4]]))
    world.start("manager-2", Manager(on_watch=blocks_until(world, 20)))
    assert next(world.connect().watch_blocks(1)).height == 1
