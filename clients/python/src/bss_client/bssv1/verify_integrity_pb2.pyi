from bss_client.bssv1 import block_pb2 as _block_pb2
from bss_client.bssv1 import genesis_pb2 as _genesis_pb2
from bss_client.bssv1 import vote_pb2 as _vote_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VerifyIntegrityRequest(_message.Message):
    __slots__ = ("head", "attestation", "fetch_blocks", "return_node", "fork", "halt")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    FETCH_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    RETURN_NODE_FIELD_NUMBER: _ClassVar[int]
    FORK_FIELD_NUMBER: _ClassVar[int]
    HALT_FIELD_NUMBER: _ClassVar[int]
    head: StorageHead
    attestation: _vote_pb2.Attestation
    fetch_blocks: FetchStorageBlocks
    return_node: _genesis_pb2.ReturnStorageNode
    fork: _vote_pb2.ForkProof
    halt: HaltNotice
    def __init__(self, head: _Optional[_Union[StorageHead, _Mapping]] = ..., attestation: _Optional[_Union[_vote_pb2.Attestation, _Mapping]] = ..., fetch_blocks: _Optional[_Union[FetchStorageBlocks, _Mapping]] = ..., return_node: _Optional[_Union[_genesis_pb2.ReturnStorageNode, _Mapping]] = ..., fork: _Optional[_Union[_vote_pb2.ForkProof, _Mapping]] = ..., halt: _Optional[_Union[HaltNotice, _Mapping]] = ...) -> None: ...

class HaltNotice(_message.Message):
    __slots__ = ("height", "text")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    height: int
    text: str
    def __init__(self, height: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class VerifyIntegrityResponse(_message.Message):
    __slots__ = ("verify", "commit", "blocks")
    VERIFY_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    verify: VerifyCandidate
    commit: CommitBlock
    blocks: StorageBlocks
    def __init__(self, verify: _Optional[_Union[VerifyCandidate, _Mapping]] = ..., commit: _Optional[_Union[CommitBlock, _Mapping]] = ..., blocks: _Optional[_Union[StorageBlocks, _Mapping]] = ...) -> None: ...

class StorageHead(_message.Message):
    __slots__ = ("height", "storage_block_id", "manager_block_id", "hash2", "tree_size", "behind")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    STORAGE_BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    MANAGER_BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    HASH2_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    height: int
    storage_block_id: bytes
    manager_block_id: bytes
    hash2: bytes
    tree_size: int
    behind: bool
    def __init__(self, height: _Optional[int] = ..., storage_block_id: _Optional[bytes] = ..., manager_block_id: _Optional[bytes] = ..., hash2: _Optional[bytes] = ..., tree_size: _Optional[int] = ..., behind: _Optional[bool] = ...) -> None: ...

class VerifyCandidate(_message.Message):
    __slots__ = ("round", "block", "sealed_records", "approval")
    ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    SEALED_RECORDS_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    round: int
    block: _block_pb2.Block
    sealed_records: _containers.RepeatedScalarFieldContainer[bytes]
    approval: _block_pb2.ApprovalCertificate
    def __init__(self, round: _Optional[int] = ..., block: _Optional[_Union[_block_pb2.Block, _Mapping]] = ..., sealed_records: _Optional[_Iterable[bytes]] = ..., approval: _Optional[_Union[_block_pb2.ApprovalCertificate, _Mapping]] = ...) -> None: ...

class CommitBlock(_message.Message):
    __slots__ = ("certificates", "block")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    certificates: _block_pb2.BlockCertificates
    block: _block_pb2.CertifiedStorageBlock
    def __init__(self, certificates: _Optional[_Union[_block_pb2.BlockCertificates, _Mapping]] = ..., block: _Optional[_Union[_block_pb2.CertifiedStorageBlock, _Mapping]] = ...) -> None: ...

class FetchStorageBlocks(_message.Message):
    __slots__ = ("from_height", "limit")
    FROM_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    from_height: int
    limit: int
    def __init__(self, from_height: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class StorageBlocks(_message.Message):
    __slots__ = ("blocks", "head_height")
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    HEAD_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    blocks: _containers.RepeatedCompositeFieldContainer[_block_pb2.CertifiedStorageBlock]
    head_height: int
    def __init__(self, blocks: _Optional[_Iterable[_Union[_block_pb2.CertifiedStorageBlock, _Mapping]]] = ..., head_height: _Optional[int] = ...) -> None: ...
