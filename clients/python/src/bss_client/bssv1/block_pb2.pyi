from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ManagerBlockHeader(_message.Message):
    __slots__ = ("consortium_id", "height", "previous_block_id", "created_round", "proposer_id", "timestamp_unix_ms", "tree_size", "hash1", "members_digest", "previous_state_digest", "body_digest", "certificates_digest", "beacon", "beacon_proof", "sealed_bytes")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_ROUND_FIELD_NUMBER: _ClassVar[int]
    PROPOSER_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    HASH1_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_STATE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    BODY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_DIGEST_FIELD_NUMBER: _ClassVar[int]
    BEACON_FIELD_NUMBER: _ClassVar[int]
    BEACON_PROOF_FIELD_NUMBER: _ClassVar[int]
    SEALED_BYTES_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    height: int
    previous_block_id: bytes
    created_round: int
    proposer_id: str
    timestamp_unix_ms: int
    tree_size: int
    hash1: bytes
    members_digest: bytes
    previous_state_digest: bytes
    body_digest: bytes
    certificates_digest: bytes
    beacon: bytes
    beacon_proof: bytes
    sealed_bytes: int
    def __init__(self, consortium_id: _Optional[bytes] = ..., height: _Optional[int] = ..., previous_block_id: _Optional[bytes] = ..., created_round: _Optional[int] = ..., proposer_id: _Optional[str] = ..., timestamp_unix_ms: _Optional[int] = ..., tree_size: _Optional[int] = ..., hash1: _Optional[bytes] = ..., members_digest: _Optional[bytes] = ..., previous_state_digest: _Optional[bytes] = ..., body_digest: _Optional[bytes] = ..., certificates_digest: _Optional[bytes] = ..., beacon: _Optional[bytes] = ..., beacon_proof: _Optional[bytes] = ..., sealed_bytes: _Optional[int] = ...) -> None: ...

class Leaf(_message.Message):
    __slots__ = ("record_hash", "seal_digest")
    RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    SEAL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    record_hash: bytes
    seal_digest: bytes
    def __init__(self, record_hash: _Optional[bytes] = ..., seal_digest: _Optional[bytes] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("header", "control", "leaves", "private_root", "previous_certificates")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    LEAVES_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_ROOT_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    control: _containers.RepeatedScalarFieldContainer[bytes]
    leaves: _containers.RepeatedCompositeFieldContainer[Leaf]
    private_root: bytes
    previous_certificates: bytes
    def __init__(self, header: _Optional[bytes] = ..., control: _Optional[_Iterable[bytes]] = ..., leaves: _Optional[_Iterable[_Union[Leaf, _Mapping]]] = ..., private_root: _Optional[bytes] = ..., previous_certificates: _Optional[bytes] = ...) -> None: ...

class PrivateEntry(_message.Message):
    __slots__ = ("submission_header", "signature", "record_indexes")
    SUBMISSION_HEADER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    RECORD_INDEXES_FIELD_NUMBER: _ClassVar[int]
    submission_header: bytes
    signature: bytes
    record_indexes: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, submission_header: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., record_indexes: _Optional[_Iterable[int]] = ...) -> None: ...

class ManagerBlock(_message.Message):
    __slots__ = ("block", "private_entries", "records")
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    block: Block
    private_entries: _containers.RepeatedScalarFieldContainer[bytes]
    records: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, block: _Optional[_Union[Block, _Mapping]] = ..., private_entries: _Optional[_Iterable[bytes]] = ..., records: _Optional[_Iterable[bytes]] = ...) -> None: ...

class CompactBlock(_message.Message):
    __slots__ = ("header", "control", "previous_certificates", "entries")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    control: _containers.RepeatedScalarFieldContainer[bytes]
    previous_certificates: bytes
    entries: _containers.RepeatedCompositeFieldContainer[CompactEntry]
    def __init__(self, header: _Optional[bytes] = ..., control: _Optional[_Iterable[bytes]] = ..., previous_certificates: _Optional[bytes] = ..., entries: _Optional[_Iterable[_Union[CompactEntry, _Mapping]]] = ...) -> None: ...

class CompactEntry(_message.Message):
    __slots__ = ("submission_id", "record_bits")
    SUBMISSION_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_BITS_FIELD_NUMBER: _ClassVar[int]
    submission_id: bytes
    record_bits: bytes
    def __init__(self, submission_id: _Optional[bytes] = ..., record_bits: _Optional[bytes] = ...) -> None: ...

class StorageBlockHeader(_message.Message):
    __slots__ = ("consortium_id", "height", "previous_storage_block_id", "manager_block_id", "hash2", "tree_size", "control_root", "leaves_root")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_STORAGE_BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    MANAGER_BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    HASH2_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTROL_ROOT_FIELD_NUMBER: _ClassVar[int]
    LEAVES_ROOT_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    height: int
    previous_storage_block_id: bytes
    manager_block_id: bytes
    hash2: bytes
    tree_size: int
    control_root: bytes
    leaves_root: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., height: _Optional[int] = ..., previous_storage_block_id: _Optional[bytes] = ..., manager_block_id: _Optional[bytes] = ..., hash2: _Optional[bytes] = ..., tree_size: _Optional[int] = ..., control_root: _Optional[bytes] = ..., leaves_root: _Optional[bytes] = ...) -> None: ...

class ManagerSignature(_message.Message):
    __slots__ = ("manager_id", "signature")
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    manager_id: str
    signature: bytes
    def __init__(self, manager_id: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class ApprovalCertificate(_message.Message):
    __slots__ = ("height", "block_id", "signatures")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_id: bytes
    signatures: _containers.RepeatedCompositeFieldContainer[ManagerSignature]
    def __init__(self, height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., signatures: _Optional[_Iterable[_Union[ManagerSignature, _Mapping]]] = ...) -> None: ...

class CommitCertificate(_message.Message):
    __slots__ = ("height", "round", "block_id", "signatures")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    height: int
    round: int
    block_id: bytes
    signatures: _containers.RepeatedCompositeFieldContainer[ManagerSignature]
    def __init__(self, height: _Optional[int] = ..., round: _Optional[int] = ..., block_id: _Optional[bytes] = ..., signatures: _Optional[_Iterable[_Union[ManagerSignature, _Mapping]]] = ...) -> None: ...

class StorageSignature(_message.Message):
    __slots__ = ("node_id", "audit", "signature")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    audit: bytes
    signature: bytes
    def __init__(self, node_id: _Optional[str] = ..., audit: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class IntegrityCertificate(_message.Message):
    __slots__ = ("height", "round", "block_id", "hash2", "tree_size", "signatures")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    HASH2_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    height: int
    round: int
    block_id: bytes
    hash2: bytes
    tree_size: int
    signatures: _containers.RepeatedCompositeFieldContainer[StorageSignature]
    def __init__(self, height: _Optional[int] = ..., round: _Optional[int] = ..., block_id: _Optional[bytes] = ..., hash2: _Optional[bytes] = ..., tree_size: _Optional[int] = ..., signatures: _Optional[_Iterable[_Union[StorageSignature, _Mapping]]] = ...) -> None: ...

class Approval(_message.Message):
    __slots__ = ("manager_id", "valid_round", "signature")
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    VALID_ROUND_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    manager_id: str
    valid_round: int
    signature: bytes
    def __init__(self, manager_id: _Optional[str] = ..., valid_round: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class PolkaCertificate(_message.Message):
    __slots__ = ("height", "round", "block_id", "approvals")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    height: int
    round: int
    block_id: bytes
    approvals: _containers.RepeatedCompositeFieldContainer[Approval]
    def __init__(self, height: _Optional[int] = ..., round: _Optional[int] = ..., block_id: _Optional[bytes] = ..., approvals: _Optional[_Iterable[_Union[Approval, _Mapping]]] = ...) -> None: ...

class LockCertificate(_message.Message):
    __slots__ = ("polka", "approval", "integrity")
    POLKA_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    INTEGRITY_FIELD_NUMBER: _ClassVar[int]
    polka: PolkaCertificate
    approval: ApprovalCertificate
    integrity: IntegrityCertificate
    def __init__(self, polka: _Optional[_Union[PolkaCertificate, _Mapping]] = ..., approval: _Optional[_Union[ApprovalCertificate, _Mapping]] = ..., integrity: _Optional[_Union[IntegrityCertificate, _Mapping]] = ...) -> None: ...

class BlockCertificates(_message.Message):
    __slots__ = ("approval", "integrity", "commit")
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    INTEGRITY_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    approval: ApprovalCertificate
    integrity: IntegrityCertificate
    commit: CommitCertificate
    def __init__(self, approval: _Optional[_Union[ApprovalCertificate, _Mapping]] = ..., integrity: _Optional[_Union[IntegrityCertificate, _Mapping]] = ..., commit: _Optional[_Union[CommitCertificate, _Mapping]] = ...) -> None: ...

class CertifiedManagerBlock(_message.Message):
    __slots__ = ("block", "certificates")
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    block: ManagerBlock
    certificates: BlockCertificates
    def __init__(self, block: _Optional[_Union[ManagerBlock, _Mapping]] = ..., certificates: _Optional[_Union[BlockCertificates, _Mapping]] = ...) -> None: ...

class CertifiedStorageBlock(_message.Message):
    __slots__ = ("block", "sealed_records", "certificates")
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    SEALED_RECORDS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    block: Block
    sealed_records: _containers.RepeatedScalarFieldContainer[bytes]
    certificates: BlockCertificates
    def __init__(self, block: _Optional[_Union[Block, _Mapping]] = ..., sealed_records: _Optional[_Iterable[bytes]] = ..., certificates: _Optional[_Union[BlockCertificates, _Mapping]] = ...) -> None: ...
