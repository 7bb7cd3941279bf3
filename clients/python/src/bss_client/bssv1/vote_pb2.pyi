from bss_client.bssv1 import block_pb2 as _block_pb2
from bss_client.bssv1 import genesis_pb2 as _genesis_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VoteKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VOTE_KIND_UNSPECIFIED: _ClassVar[VoteKind]
    VOTE_KIND_ACCEPT: _ClassVar[VoteKind]
    VOTE_KIND_APPROVE: _ClassVar[VoteKind]
    VOTE_KIND_COMMIT: _ClassVar[VoteKind]

class AttestationVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTESTATION_VERDICT_UNSPECIFIED: _ClassVar[AttestationVerdict]
    ATTESTATION_VERDICT_MATCH: _ClassVar[AttestationVerdict]
    ATTESTATION_VERDICT_MISMATCH: _ClassVar[AttestationVerdict]
VOTE_KIND_UNSPECIFIED: VoteKind
VOTE_KIND_ACCEPT: VoteKind
VOTE_KIND_APPROVE: VoteKind
VOTE_KIND_COMMIT: VoteKind
ATTESTATION_VERDICT_UNSPECIFIED: AttestationVerdict
ATTESTATION_VERDICT_MATCH: AttestationVerdict
ATTESTATION_VERDICT_MISMATCH: AttestationVerdict

class VoteRequest(_message.Message):
    __slots__ = ("proposal", "vote", "attestation", "lock_certificate", "head", "fetch_body", "fetch_blocks", "evidence", "resume", "fork", "operation", "unreachable", "finding", "fetch_entries")
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    LOCK_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    FETCH_BODY_FIELD_NUMBER: _ClassVar[int]
    FETCH_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    FORK_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    UNREACHABLE_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    FETCH_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    proposal: Proposal
    vote: Vote
    attestation: Attestation
    lock_certificate: _block_pb2.LockCertificate
    head: SignedHead
    fetch_body: FetchBody
    fetch_blocks: FetchManagerBlocks
    evidence: _genesis_pb2.Evidence
    resume: _genesis_pb2.ResumeManager
    fork: ForkProof
    operation: _genesis_pb2.ControlOperation
    unreachable: UnreachableNotice
    finding: AuditFinding
    fetch_entries: FetchEntries
    def __init__(self, proposal: _Optional[_Union[Proposal, _Mapping]] = ..., vote: _Optional[_Union[Vote, _Mapping]] = ..., attestation: _Optional[_Union[Attestation, _Mapping]] = ..., lock_certificate: _Optional[_Union[_block_pb2.LockCertificate, _Mapping]] = ..., head: _Optional[_Union[SignedHead, _Mapping]] = ..., fetch_body: _Optional[_Union[FetchBody, _Mapping]] = ..., fetch_blocks: _Optional[_Union[FetchManagerBlocks, _Mapping]] = ..., evidence: _Optional[_Union[_genesis_pb2.Evidence, _Mapping]] = ..., resume: _Optional[_Union[_genesis_pb2.ResumeManager, _Mapping]] = ..., fork: _Optional[_Union[ForkProof, _Mapping]] = ..., operation: _Optional[_Union[_genesis_pb2.ControlOperation, _Mapping]] = ..., unreachable: _Optional[_Union[UnreachableNotice, _Mapping]] = ..., finding: _Optional[_Union[AuditFinding, _Mapping]] = ..., fetch_entries: _Optional[_Union[FetchEntries, _Mapping]] = ...) -> None: ...

class UnreachableNotice(_message.Message):
    __slots__ = ("node_id", "claim")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    claim: _genesis_pb2.UnreachableClaim
    def __init__(self, node_id: _Optional[str] = ..., claim: _Optional[_Union[_genesis_pb2.UnreachableClaim, _Mapping]] = ...) -> None: ...

class AuditFinding(_message.Message):
    __slots__ = ("node_id", "height", "audit", "manager_id", "signature")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    height: int
    audit: bytes
    manager_id: str
    signature: bytes
    def __init__(self, node_id: _Optional[str] = ..., height: _Optional[int] = ..., audit: _Optional[bytes] = ..., manager_id: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class VoteResponse(_message.Message):
    __slots__ = ("body", "blocks", "entries")
    BODY_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    body: CandidateBody
    blocks: ManagerBlocks
    entries: CandidateEntries
    def __init__(self, body: _Optional[_Union[CandidateBody, _Mapping]] = ..., blocks: _Optional[_Union[ManagerBlocks, _Mapping]] = ..., entries: _Optional[_Union[CandidateEntries, _Mapping]] = ...) -> None: ...

class Proposal(_message.Message):
    __slots__ = ("height", "round", "valid_round", "block_id", "manager_id", "signature", "lock_certificate", "block", "compact")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    VALID_ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    LOCK_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    COMPACT_FIELD_NUMBER: _ClassVar[int]
    height: int
    round: int
    valid_round: int
    block_id: bytes
    manager_id: str
    signature: bytes
    lock_certificate: _block_pb2.LockCertificate
    block: _block_pb2.ManagerBlock
    compact: _block_pb2.CompactBlock
    def __init__(self, height: _Optional[int] = ..., round: _Optional[int] = ..., valid_round: _Optional[int] = ..., block_id: _Optional[bytes] = ..., manager_id: _Optional[str] = ..., signature: _Optional[bytes] = ..., lock_certificate: _Optional[_Union[_block_pb2.LockCertificate, _Mapping]] = ..., block: _Optional[_Union[_block_pb2.ManagerBlock, _Mapping]] = ..., compact: _Optional[_Union[_block_pb2.CompactBlock, _Mapping]] = ...) -> None: ...

class Vote(_message.Message):
    __slots__ = ("kind", "height", "round", "valid_round", "block_id", "manager_id", "signature")
    KIND_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    VALID_ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    kind: VoteKind
    height: int
    round: int
    valid_round: int
    block_id: bytes
    manager_id: str
    signature: bytes
    def __init__(self, kind: _Optional[_Union[VoteKind, str]] = ..., height: _Optional[int] = ..., round: _Optional[int] = ..., valid_round: _Optional[int] = ..., block_id: _Optional[bytes] = ..., manager_id: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Attestation(_message.Message):
    __slots__ = ("height", "round", "block_id", "hash2", "tree_size", "verdict", "audit", "node_id", "signature")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    HASH2_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    height: int
    round: int
    block_id: bytes
    hash2: bytes
    tree_size: int
    verdict: AttestationVerdict
    audit: bytes
    node_id: str
    signature: bytes
    def __init__(self, height: _Optional[int] = ..., round: _Optional[int] = ..., block_id: _Optional[bytes] = ..., hash2: _Optional[bytes] = ..., tree_size: _Optional[int] = ..., verdict: _Optional[_Union[AttestationVerdict, str]] = ..., audit: _Optional[bytes] = ..., node_id: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SignedHead(_message.Message):
    __slots__ = ("height", "block_id", "hash1", "state_digest", "manager_id", "signature")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    HASH1_FIELD_NUMBER: _ClassVar[int]
    STATE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_id: bytes
    hash1: bytes
    state_digest: bytes
    manager_id: str
    signature: bytes
    def __init__(self, height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., hash1: _Optional[bytes] = ..., state_digest: _Optional[bytes] = ..., manager_id: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class ForkProof(_message.Message):
    __slots__ = ("first", "second")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    first: _block_pb2.CommitCertificate
    second: _block_pb2.CommitCertificate
    def __init__(self, first: _Optional[_Union[_block_pb2.CommitCertificate, _Mapping]] = ..., second: _Optional[_Union[_block_pb2.CommitCertificate, _Mapping]] = ...) -> None: ...

class FetchBody(_message.Message):
    __slots__ = ("height", "block_id")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_id: bytes
    def __init__(self, height: _Optional[int] = ..., block_id: _Optional[bytes] = ...) -> None: ...

class CandidateBody(_message.Message):
    __slots__ = ("block",)
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    block: _block_pb2.ManagerBlock
    def __init__(self, block: _Optional[_Union[_block_pb2.ManagerBlock, _Mapping]] = ...) -> None: ...

class FetchEntries(_message.Message):
    __slots__ = ("height", "block_id", "entries")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_id: bytes
    entries: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., entries: _Optional[_Iterable[int]] = ...) -> None: ...

class CandidateEntries(_message.Message):
    __slots__ = ("block_id", "entries")
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    block_id: bytes
    entries: _containers.RepeatedCompositeFieldContainer[CandidateEntry]
    def __init__(self, block_id: _Optional[bytes] = ..., entries: _Optional[_Iterable[_Union[CandidateEntry, _Mapping]]] = ...) -> None: ...

class CandidateEntry(_message.Message):
    __slots__ = ("private_entry", "records")
    PRIVATE_ENTRY_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    private_entry: bytes
    records: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, private_entry: _Optional[bytes] = ..., records: _Optional[_Iterable[bytes]] = ...) -> None: ...

class FetchManagerBlocks(_message.Message):
    __slots__ = ("from_height", "limit")
    FROM_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    from_height: int
    limit: int
    def __init__(self, from_height: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ManagerBlocks(_message.Message):
    __slots__ = ("blocks", "head_height")
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    HEAD_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    blocks: _containers.RepeatedCompositeFieldContainer[_block_pb2.CertifiedManagerBlock]
    head_height: int
    def __init__(self, blocks: _Optional[_Iterable[_Union[_block_pb2.CertifiedManagerBlock, _Mapping]]] = ..., head_height: _Optional[int] = ...) -> None: ...
