"""What a call may fail with."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from bss_client.bssv1 import broadcast_pb2

# The client's own reasons.
UNREACHABLE = "NODE_UNREACHABLE"
DEADLINE = "DEADLINE"
CANCELLED = "CANCELLED"
INTERNAL = "INTERNAL"

# The fact of an error that says to which manager the client has gone on.
GOING_ON_AT = "going_on_at"

# For statuses that gRPC makes by itself, without details of a node.
_LOCAL_REASONS = {
    grpc.StatusCode.CANCELLED: CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED: DEADLINE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: "MESSAGE_TOO_LARGE",
    grpc.StatusCode.UNAVAILABLE: UNREACHABLE,
    grpc.StatusCode.UNIMPLEMENTED: "METHOD_UNIMPLEMENTED",
}

# What the client says of a deadline of its own, and when docs/errors.md says to try again.
_DEADLINE_MESSAGE = "no answer before the deadline; nothing is lost: send the same again"
_DEADLINE_RETRY_AFTER_S = 1.0

_CODES: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class BssError(Exception):
    """A refusal by a node, or that none could be reached.

    `reason` is stable and listed in docs/errors.md, for instance "DOUBLE_SPEND". Branch on it,
    never on the message. The client's own are NODE_UNREACHABLE, DEADLINE and CANCELLED.
    """

    def __init__(
        self,
        reason: str,
        code: grpc.StatusCode,
        message: str,
        *,
        field: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: float = 0,
        tls_refused: bool = False,
    ) -> None:
        super().__init__(reason, code, message)
        self.reason = reason
        self.code = code
        self.message = message
        self.field = field
        """The path of the field at fault, for instance "submission.records[3].salt"."""
        self.metadata = dict(metadata or {})
        """Facts for programs."""
        self.retry_after = retry_after
        """How many seconds to wait before trying again; 0 if nobody has said so."""
        self.tls_refused = tls_refused
        """Whether TLS refused the connection, and would refuse it again."""

    def __str__(self) -> str:
        place = f"{self.field}: " if self.field else ""
        return f"{place}{self.message} [{self.reason}]"

    @property
    def retryable(self) -> bool:
        """Whether the same call, with the same bytes, may succeed later or at another manager.

        So it may after a DEADLINE, the client's own too: nothing is lost, and the same submission
        again gets the same places.
        """
        passing = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        return self.retry_after > 0 or self.code in passing

    @property
    def may_repeat(self) -> bool:
        """Also holds for what ended at one manager only: a node that stops cancels its calls."""
        return self.retryable or self.code is grpc.StatusCode.CANCELLED

    def at(self, address: str) -> BssError:
        """The same with the address of the manager that failed."""
        if address in self.message:
            return self
        return self.saying(f"{address}: {self.message}")

    def saying(self, message: str) -> BssError:
        """The same with another message."""
        return BssError(
            self.reason,
            self.code,
            message,
            field=self.field,
            metadata=self.metadata,
            retry_after=self.retry_after,
            tls_refused=self.tls_refused,
        )

    @property
    def is_unreachable(self) -> bool:
        """Whether no connection could be made, or it broke; not if the manager was left for a
        better one."""
        return not self.is_answer and GOING_ON_AT not in self.metadata

    @property
    def is_answer(self) -> bool:
        """Whether the manager itself has said this."""
        return self.reason != UNREACHABLE

    @property
    def is_fault(self) -> bool:
        """Whether the node failed by itself, or the connection broke in the middle of a message."""
        return self.code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)


class UntrueAnswer(Exception):
    """The answer of a node does not prove what it claims: the node is faulty, or it lies.

    Ask another manager, and tell the consortium's operators. `__cause__` is the `verify.Problem`,
    if there is one.
    """


def unreachable(message: str, *, tls_refused: bool = False) -> BssError:
    return BssError(UNREACHABLE, grpc.StatusCode.UNAVAILABLE, message, tls_refused=tls_refused)


def stopping(message: str) -> BssError:
    """For a stream that a node has ended in good order."""
    return BssError("NODE_STOPPING", grpc.StatusCode.UNAVAILABLE, message)


def error_of(error: Exception) -> BssError:
    """What a call failed with, whether the node, gRPC or the network made the error."""
    if isinstance(error, BssError):
        return error
    if not isinstance(error, grpc.Call):
        raise error
    code = error.code() or grpc.StatusCode.UNKNOWN
    reason, field, metadata, retry_after = "", "", {}, 0.0
    for detail in _details_of(error):
        info = error_details_pb2.ErrorInfo()
        request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Is(info.DESCRIPTOR) and detail.Unpack(info) and info.domain == "bss":
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Is(request.DESCRIPTOR) and detail.Unpack(request):
            field = next((each.field for each in request.field_violations), "")
        elif detail.Is(retry.DESCRIPTOR) and detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    message = error.details() or ""
    reason = reason or _LOCAL_REASONS.get(code, INTERNAL)
    if reason == DEADLINE and not retry_after:
        message, retry_after = _DEADLINE_MESSAGE, _DEADLINE_RETRY_AFTER_S
    return BssError(
        reason,
        code,
        message,
        field=field,
        metadata=metadata,
        retry_after=retry_after,
    )


def _details_of(call: grpc.Call) -> list[Any]:
    for key, value in call.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            status = status_pb2.Status()
            try:
                status.ParseFromString(value)
            except DecodeError:
                return []
            return list(status.details)
    return []


def error_of_refusal(refusal: broadcast_pb2.Refusal) -> BssError:
    """A refusal on a stream."""
    return BssError(
        refusal.reason,
        _CODES.get(refusal.code, grpc.StatusCode.UNKNOWN),
        refusal.message,
        field=refusal.field,
        retry_after=refusal.retry_after_ms / 1000,
    )
