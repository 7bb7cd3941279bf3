import grpc
import pytest

from bss_client import BssError, Submission, SubmissionOutcome, or_raise, refusals
from bss_client.bssv1 import broadcast_pb2

COMMITTED = broadcast_pb2.RecordOutcome(committed=broadcast_pb2.RecordPlace())
TAKEN = broadcast_pb2.SubmitResponse(outcomes=[COMMITTED])


def objection(field: str) -> broadcast_pb2.RecordOutcome:
    said = broadcast_pb2.Objection(
        reason="INTERVAL_OVERLAP", message="for people", field=field, standing_record_hash=b"\1\2"
    )
    return broadcast_pb2.RecordOutcome(objection=said)


def outcome(
    response: broadcast_pb2.SubmitResponse | None, refusal: BssError | None = None
) -> SubmissionOutcome:
    return SubmissionOutcome(0, Submission(), response, refusal)


def test_what_is_refused_of_a_submission_is_one_error_with_its_place() -> None:
    partly = broadcast_pb2.SubmitResponse(outcomes=[COMMITTED, objection("parent"), objection("")])
    assert or_raise(TAKEN) == TAKEN
    assert refusals(TAKEN) == []
    with pytest.raises(BssError) as refused:
        or_raise(partly)
    assert refused.value.reason == "INTERVAL_OVERLAP"
    assert refused.value.field == "submission.records[1].parent"
    assert refused.value.metadata == {"refused_records": "2", "record_hash": "0102"}
    assert [each.field for each in refusals(partly)][1:] == ["submission.records[2]"]


def test_an_outcome_of_a_stream_hides_no_refusal() -> None:
    assert outcome(TAKEN).or_raise() == TAKEN
    assert outcome(TAKEN).refusals() == []
    whole = BssError("SIGNATURE_INVALID", grpc.StatusCode.INVALID_ARGUMENT, "for people")
    one = broadcast_pb2.SubmitResponse(outcomes=[objection("")])
    for each, reason in (
        (outcome(None, whole), "SIGNATURE_INVALID"),
        (outcome(one), "INTERVAL_OVERLAP"),
    ):
        with pytest.raises(BssError) as refused:
            each.or_raise()
        assert refused.value.reason == reason
        assert len(each.refusals()) == 1
