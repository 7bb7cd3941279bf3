from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class CanonicalProposal(_message.Message):
    __slots__ = ("consortium_id", "height", "round", "valid_round", "block_id")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    VALID_ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    height: int
    round: int
    valid_round: int
    block_id: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., height: _Optional[int] = ..., round: _Optional[int] = ..., valid_round: _Optional[int] = ..., block_id: _Optional[bytes] = ...) -> None: ...

class CanonicalAccept(_message.Message):
    __slots__ = ("consortium_id", "height", "block_id")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    height: int
    block_id: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., height: _Optional[int] = ..., block_id: _Optional[bytes] = ...) -> None: ...

class CanonicalApprove(_message.Message):
    __slots__ = ("consortium_id", "height", "round", "valid_round", "block_id")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    VALID_ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    height: int
    round: int
    valid_round: int
    block_id: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., height: _Optional[int] = ..., round: _Optional[int] = ..., valid_round: _Optional[int] = ..., block_id: _Optional[bytes] = ...) -> None: ...

class CanonicalCommit(_message.Message):
    __slots__ = ("consortium_id", "height", "round", "block_id")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    height: int
    round: int
    block_id: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., height: _Optional[int] = ..., round: _Optional[int] = ..., block_id: _Optional[bytes] = ...) -> None: ...

class CanonicalAttestation(_message.Message):
    __slots__ = ("consortium_id", "height", "round", "block_id", "hash2", "tree_size", "verdict", "audit")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    HASH2_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    height: int
    round: int
    block_id: bytes
    hash2: bytes
    tree_size: int
    verdict: int
    audit: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., height: _Optional[int] = ..., round: _Optional[int] = ..., block_id: _Optional[bytes] = ..., hash2: _Optional[bytes] = ..., tree_size: _Optional[int] = ..., verdict: _Optional[int] = ..., audit: _Optional[bytes] = ...) -> None: ...

class CanonicalHead(_message.Message):
    __slots__ = ("consortium_id", "height", "block_id", "hash1", "state_digest")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    HASH1_FIELD_NUMBER: _ClassVar[int]
    STATE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    height: int
    block_id: bytes
    hash1: bytes
    state_digest: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., hash1: _Optional[bytes] = ..., state_digest: _Optional[bytes] = ...) -> None: ...

class CanonicalResume(_message.Message):
    __slots__ = ("consortium_id", "suspended_height", "held_height")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HELD_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    suspended_height: int
    held_height: int
    def __init__(self, consortium_id: _Optional[bytes] = ..., suspended_height: _Optional[int] = ..., held_height: _Optional[int] = ...) -> None: ...

class CanonicalObjections(_message.Message):
    __slots__ = ("consortium_id", "submission_id", "count", "root")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    SUBMISSION_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    submission_id: bytes
    count: int
    root: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., submission_id: _Optional[bytes] = ..., count: _Optional[int] = ..., root: _Optional[bytes] = ...) -> None: ...

class CanonicalObjection(_message.Message):
    __slots__ = ("record_hash", "reason", "height")
    RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    record_hash: bytes
    reason: str
    height: int
    def __init__(self, record_hash: _Optional[bytes] = ..., reason: _Optional[str] = ..., height: _Optional[int] = ...) -> None: ...

class CanonicalRegistration(_message.Message):
    __slots__ = ("consortium_id", "invitation_digest", "role", "member_id", "tls_spki_sha256", "signing_key")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    INVITATION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    TLS_SPKI_SHA256_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    invitation_digest: bytes
    role: int
    member_id: str
    tls_spki_sha256: bytes
    signing_key: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., invitation_digest: _Optional[bytes] = ..., role: _Optional[int] = ..., member_id: _Optional[str] = ..., tls_spki_sha256: _Optional[bytes] = ..., signing_key: _Optional[bytes] = ...) -> None: ...

class CanonicalRetirement(_message.Message):
    __slots__ = ("consortium_id", "node_id", "admitted_height")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    node_id: str
    admitted_height: int
    def __init__(self, consortium_id: _Optional[bytes] = ..., node_id: _Optional[str] = ..., admitted_height: _Optional[int] = ...) -> None: ...

class CanonicalUnreachable(_message.Message):
    __slots__ = ("consortium_id", "node_id", "height")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    node_id: str
    height: int
    def __init__(self, consortium_id: _Optional[bytes] = ..., node_id: _Optional[str] = ..., height: _Optional[int] = ...) -> None: ...

class CanonicalReturn(_message.Message):
    __slots__ = ("consortium_id", "node_id", "suspended_height", "held_height")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HELD_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    node_id: str
    suspended_height: int
    held_height: int
    def __init__(self, consortium_id: _Optional[bytes] = ..., node_id: _Optional[str] = ..., suspended_height: _Optional[int] = ..., held_height: _Optional[int] = ...) -> None: ...

class CanonicalAuditFinding(_message.Message):
    __slots__ = ("consortium_id", "node_id", "height", "audit")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    node_id: str
    height: int
    audit: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., node_id: _Optional[str] = ..., height: _Optional[int] = ..., audit: _Optional[bytes] = ...) -> None: ...

class CanonicalPayout(_message.Message):
    __slots__ = ("consortium_id", "node_id", "amount", "paid_before", "reference")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAID_BEFORE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    node_id: str
    amount: int
    paid_before: int
    reference: str
    def __init__(self, consortium_id: _Optional[bytes] = ..., node_id: _Optional[str] = ..., amount: _Optional[int] = ..., paid_before: _Optional[int] = ..., reference: _Optional[str] = ...) -> None: ...
