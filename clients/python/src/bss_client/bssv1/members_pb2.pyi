from bss_client.bssv1 import genesis_pb2 as _genesis_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SuspensionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUSPENSION_REASON_UNSPECIFIED: _ClassVar[SuspensionReason]
    SUSPENSION_REASON_ABSENT: _ClassVar[SuspensionReason]
    SUSPENSION_REASON_EQUIVOCATED: _ClassVar[SuspensionReason]

class StorageSuspension(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STORAGE_SUSPENSION_UNSPECIFIED: _ClassVar[StorageSuspension]
    STORAGE_SUSPENSION_UNREACHABLE: _ClassVar[StorageSuspension]
    STORAGE_SUSPENSION_BOYCOTTED: _ClassVar[StorageSuspension]
    STORAGE_SUSPENSION_RETIRED: _ClassVar[StorageSuspension]
SUSPENSION_REASON_UNSPECIFIED: SuspensionReason
SUSPENSION_REASON_ABSENT: SuspensionReason
SUSPENSION_REASON_EQUIVOCATED: SuspensionReason
STORAGE_SUSPENSION_UNSPECIFIED: StorageSuspension
STORAGE_SUSPENSION_UNREACHABLE: StorageSuspension
STORAGE_SUSPENSION_BOYCOTTED: StorageSuspension
STORAGE_SUSPENSION_RETIRED: StorageSuspension

class MemberEntry(_message.Message):
    __slots__ = ("manager", "storage_node", "officer", "open_committee", "totals")
    MANAGER_FIELD_NUMBER: _ClassVar[int]
    STORAGE_NODE_FIELD_NUMBER: _ClassVar[int]
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    OPEN_COMMITTEE_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    manager: ManagerEntry
    storage_node: StorageNodeEntry
    officer: OfficerEntry
    open_committee: OpenCommittee
    totals: StorageTotals
    def __init__(self, manager: _Optional[_Union[ManagerEntry, _Mapping]] = ..., storage_node: _Optional[_Union[StorageNodeEntry, _Mapping]] = ..., officer: _Optional[_Union[OfficerEntry, _Mapping]] = ..., open_committee: _Optional[_Union[OpenCommittee, _Mapping]] = ..., totals: _Optional[_Union[StorageTotals, _Mapping]] = ...) -> None: ...

class ManagerEntry(_message.Message):
    __slots__ = ("member", "suspended", "reason", "changed_height", "changed_at_unix_ms", "absences", "offence_height")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    ABSENCES_FIELD_NUMBER: _ClassVar[int]
    OFFENCE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    member: _genesis_pb2.ManagerMember
    suspended: bool
    reason: SuspensionReason
    changed_height: int
    changed_at_unix_ms: int
    absences: int
    offence_height: int
    def __init__(self, member: _Optional[_Union[_genesis_pb2.ManagerMember, _Mapping]] = ..., suspended: _Optional[bool] = ..., reason: _Optional[_Union[SuspensionReason, str]] = ..., changed_height: _Optional[int] = ..., changed_at_unix_ms: _Optional[int] = ..., absences: _Optional[int] = ..., offence_height: _Optional[int] = ...) -> None: ...

class StorageNodeEntry(_message.Message):
    __slots__ = ("admission", "suspension", "credit", "reward", "paid", "admitted_height", "changed_height", "changed_at_unix_ms", "absences", "last_attested_height", "audit_failed", "rewarded_kib_seconds")
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    SUSPENSION_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    PAID_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    ABSENCES_FIELD_NUMBER: _ClassVar[int]
    LAST_ATTESTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FAILED_FIELD_NUMBER: _ClassVar[int]
    REWARDED_KIB_SECONDS_FIELD_NUMBER: _ClassVar[int]
    admission: _genesis_pb2.AdmitStorageNode
    suspension: StorageSuspension
    credit: int
    reward: int
    paid: int
    admitted_height: int
    changed_height: int
    changed_at_unix_ms: int
    absences: int
    last_attested_height: int
    audit_failed: bool
    rewarded_kib_seconds: int
    def __init__(self, admission: _Optional[_Union[_genesis_pb2.AdmitStorageNode, _Mapping]] = ..., suspension: _Optional[_Union[StorageSuspension, str]] = ..., credit: _Optional[int] = ..., reward: _Optional[int] = ..., paid: _Optional[int] = ..., admitted_height: _Optional[int] = ..., changed_height: _Optional[int] = ..., changed_at_unix_ms: _Optional[int] = ..., absences: _Optional[int] = ..., last_attested_height: _Optional[int] = ..., audit_failed: _Optional[bool] = ..., rewarded_kib_seconds: _Optional[int] = ...) -> None: ...

class OpenCommittee(_message.Message):
    __slots__ = ("height", "block_id", "round", "hash1", "tree_size", "missing", "audited")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    HASH1_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    AUDITED_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_id: bytes
    round: int
    hash1: bytes
    tree_size: int
    missing: _containers.RepeatedScalarFieldContainer[str]
    audited: _containers.RepeatedCompositeFieldContainer[AuditedAttestation]
    def __init__(self, height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., round: _Optional[int] = ..., hash1: _Optional[bytes] = ..., tree_size: _Optional[int] = ..., missing: _Optional[_Iterable[str]] = ..., audited: _Optional[_Iterable[_Union[AuditedAttestation, _Mapping]]] = ...) -> None: ...

class AuditedAttestation(_message.Message):
    __slots__ = ("node_id", "audit")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    audit: bytes
    def __init__(self, node_id: _Optional[str] = ..., audit: _Optional[bytes] = ...) -> None: ...

class StorageTotals(_message.Message):
    __slots__ = ("sealed_bytes", "kib_seconds", "remainder")
    SEALED_BYTES_FIELD_NUMBER: _ClassVar[int]
    KIB_SECONDS_FIELD_NUMBER: _ClassVar[int]
    REMAINDER_FIELD_NUMBER: _ClassVar[int]
    sealed_bytes: int
    kib_seconds: int
    remainder: int
    def __init__(self, sealed_bytes: _Optional[int] = ..., kib_seconds: _Optional[int] = ..., remainder: _Optional[int] = ...) -> None: ...

class OfficerEntry(_message.Message):
    __slots__ = ("registration",)
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    registration: _genesis_pb2.RegisterOfficer
    def __init__(self, registration: _Optional[_Union[_genesis_pb2.RegisterOfficer, _Mapping]] = ...) -> None: ...

class MemberList(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, entries: _Optional[_Iterable[bytes]] = ...) -> None: ...
