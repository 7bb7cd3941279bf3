from bss_client.bssv1 import block_pb2 as _block_pb2
from bss_client.bssv1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WaitFor(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAIT_FOR_UNSPECIFIED: _ClassVar[WaitFor]
    WAIT_FOR_ACCEPTED: _ClassVar[WaitFor]
    WAIT_FOR_COMMITTED: _ClassVar[WaitFor]
WAIT_FOR_UNSPECIFIED: WaitFor
WAIT_FOR_ACCEPTED: WaitFor
WAIT_FOR_COMMITTED: WaitFor

class SubmitRequest(_message.Message):
    __slots__ = ("submission", "wait_for")
    SUBMISSION_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_FIELD_NUMBER: _ClassVar[int]
    submission: _record_pb2.Submission
    wait_for: WaitFor
    def __init__(self, submission: _Optional[_Union[_record_pb2.Submission, _Mapping]] = ..., wait_for: _Optional[_Union[WaitFor, str]] = ...) -> None: ...

class SubmitResponse(_message.Message):
    __slots__ = ("outcomes", "blocks", "objection_signature")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    OBJECTION_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[RecordOutcome]
    blocks: _containers.RepeatedCompositeFieldContainer[BlockSummary]
    objection_signature: ObjectionSignature
    def __init__(self, outcomes: _Optional[_Iterable[_Union[RecordOutcome, _Mapping]]] = ..., blocks: _Optional[_Iterable[_Union[BlockSummary, _Mapping]]] = ..., objection_signature: _Optional[_Union[ObjectionSignature, _Mapping]] = ...) -> None: ...

class SubmitStreamRequest(_message.Message):
    __slots__ = ("request_id", "submission", "wait_for")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SUBMISSION_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    submission: _record_pb2.Submission
    wait_for: WaitFor
    def __init__(self, request_id: _Optional[int] = ..., submission: _Optional[_Union[_record_pb2.Submission, _Mapping]] = ..., wait_for: _Optional[_Union[WaitFor, str]] = ...) -> None: ...

class SubmitStreamResponse(_message.Message):
    __slots__ = ("request_id", "response", "refusal")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    response: SubmitResponse
    refusal: Refusal
    def __init__(self, request_id: _Optional[int] = ..., response: _Optional[_Union[SubmitResponse, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("code", "reason", "message", "field", "retry_after_ms")
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    code: int
    reason: str
    message: str
    field: str
    retry_after_ms: int
    def __init__(self, code: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., field: _Optional[str] = ..., retry_after_ms: _Optional[int] = ...) -> None: ...

class RecordOutcome(_message.Message):
    __slots__ = ("record_hash", "committed", "pending", "objection")
    RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    record_hash: bytes
    committed: RecordPlace
    pending: Pending
    objection: Objection
    def __init__(self, record_hash: _Optional[bytes] = ..., committed: _Optional[_Union[RecordPlace, _Mapping]] = ..., pending: _Optional[_Union[Pending, _Mapping]] = ..., objection: _Optional[_Union[Objection, _Mapping]] = ...) -> None: ...

class Pending(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RecordPlace(_message.Message):
    __slots__ = ("height", "position", "seal_digest")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SEAL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    height: int
    position: int
    seal_digest: bytes
    def __init__(self, height: _Optional[int] = ..., position: _Optional[int] = ..., seal_digest: _Optional[bytes] = ...) -> None: ...

class BlockSummary(_message.Message):
    __slots__ = ("height", "block_id", "timestamp_unix_ms", "confirmations", "manager_signatures", "storage_attestations", "header", "commit_certificate")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATIONS_FIELD_NUMBER: _ClassVar[int]
    MANAGER_SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    STORAGE_ATTESTATIONS_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    COMMIT_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_id: bytes
    timestamp_unix_ms: int
    confirmations: int
    manager_signatures: int
    storage_attestations: int
    header: bytes
    commit_certificate: _block_pb2.CommitCertificate
    def __init__(self, height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., timestamp_unix_ms: _Optional[int] = ..., confirmations: _Optional[int] = ..., manager_signatures: _Optional[int] = ..., storage_attestations: _Optional[int] = ..., header: _Optional[bytes] = ..., commit_certificate: _Optional[_Union[_block_pb2.CommitCertificate, _Mapping]] = ...) -> None: ...

class Objection(_message.Message):
    __slots__ = ("record_hash", "reason", "message", "field", "height", "standing_record_hash")
    RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    STANDING_RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    record_hash: bytes
    reason: str
    message: str
    field: str
    height: int
    standing_record_hash: bytes
    def __init__(self, record_hash: _Optional[bytes] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., field: _Optional[str] = ..., height: _Optional[int] = ..., standing_record_hash: _Optional[bytes] = ...) -> None: ...

class ObjectionSignature(_message.Message):
    __slots__ = ("submission_id", "manager_id", "signature")
    SUBMISSION_ID_FIELD_NUMBER: _ClassVar[int]
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    submission_id: bytes
    manager_id: str
    signature: bytes
    def __init__(self, submission_id: _Optional[bytes] = ..., manager_id: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SignedObjections(_message.Message):
    __slots__ = ("objections", "signature")
    OBJECTIONS_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    objections: _containers.RepeatedCompositeFieldContainer[Objection]
    signature: ObjectionSignature
    def __init__(self, objections: _Optional[_Iterable[_Union[Objection, _Mapping]]] = ..., signature: _Optional[_Union[ObjectionSignature, _Mapping]] = ...) -> None: ...

class ProvenObjection(_message.Message):
    __slots__ = ("objection", "index", "count", "proof", "root", "signature")
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    objection: Objection
    index: int
    count: int
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    root: bytes
    signature: ObjectionSignature
    def __init__(self, objection: _Optional[_Union[Objection, _Mapping]] = ..., index: _Optional[int] = ..., count: _Optional[int] = ..., proof: _Optional[_Iterable[bytes]] = ..., root: _Optional[bytes] = ..., signature: _Optional[_Union[ObjectionSignature, _Mapping]] = ...) -> None: ...

class BroadcastRequest(_message.Message):
    __slots__ = ("submission", "verdict", "objections", "left_out")
    SUBMISSION_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    OBJECTIONS_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    submission: _record_pb2.Submission
    verdict: Verdict
    objections: SignedObjections
    left_out: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, submission: _Optional[_Union[_record_pb2.Submission, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ..., objections: _Optional[_Union[SignedObjections, _Mapping]] = ..., left_out: _Optional[_Iterable[int]] = ...) -> None: ...

class BroadcastResponse(_message.Message):
    __slots__ = ("verdict", "objections")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    OBJECTIONS_FIELD_NUMBER: _ClassVar[int]
    verdict: Verdict
    objections: SignedObjections
    def __init__(self, verdict: _Optional[_Union[Verdict, _Mapping]] = ..., objections: _Optional[_Union[SignedObjections, _Mapping]] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("submission_ids",)
    SUBMISSION_IDS_FIELD_NUMBER: _ClassVar[int]
    submission_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, submission_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...
