"""What was refused of a submission.

A manager refuses a submission as a whole, with an error, only if it refuses each of its records. If
it takes one, what it refuses of the others is in their outcomes.
"""

from __future__ import annotations

import grpc

from bss_client.bssv1 import broadcast_pb2
from bss_client.errors import BssError


def or_raise(answer: broadcast_pb2.SubmitResponse) -> broadcast_pb2.SubmitResponse:
    """Gives the answer back if no record of the submission was refused.

    Otherwise it raises the first one's refusal, as `Client.submit` does when every record is
    refused: its `field` begins with the record's place in the submission, and
    `metadata["refused_records"]` counts them.
    """
    for refusal in refusals(answer):
        raise refusal
    return answer


def refusals(answer: broadcast_pb2.SubmitResponse) -> list[BssError]:
    """The refusals of a submission's records, in their order; empty if all were taken."""
    refused = [
        (f"submission.records[{i}]", outcome.objection)
        for i, outcome in enumerate(answer.outcomes)
        if outcome.HasField("objection")
    ]
    facts = {"refused_records": str(len(refused))}
    return [_refusal(objection, place, facts) for place, objection in refused]


def raise_objection(outcome: broadcast_pb2.RecordOutcome) -> None:
    """Raises the refusal of one record of a submission that was taken, if it was refused.

    Its `field` is the path within the record; `or_raise` and `refusals` say which record.
    """
    if outcome.HasField("objection"):
        raise _refusal(outcome.objection, "", {})


def _refusal(objection: broadcast_pb2.Objection, place: str, facts: dict[str, str]) -> BssError:
    if objection.standing_record_hash:
        facts = {**facts, "record_hash": objection.standing_record_hash.hex()}
    return BssError(
        objection.reason,
        grpc.StatusCode.FAILED_PRECONDITION,
        objection.message,
        field=f"{place}.{objection.field}".strip("."),
        metadata=facts,
    )
