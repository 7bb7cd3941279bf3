from bss_client.bssv1 import block_pb2 as _block_pb2
from bss_client.bssv1 import genesis_pb2 as _genesis_pb2
from bss_client.bssv1 import members_pb2 as _members_pb2
from bss_client.bssv1 import record_pb2 as _record_pb2
from bss_client.bssv1 import vote_pb2 as _vote_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NodeRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NODE_ROLE_UNSPECIFIED: _ClassVar[NodeRole]
    NODE_ROLE_MANAGER: _ClassVar[NodeRole]
    NODE_ROLE_STORAGE: _ClassVar[NodeRole]

class MemberState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMBER_STATE_UNSPECIFIED: _ClassVar[MemberState]
    MEMBER_STATE_ACTIVE: _ClassVar[MemberState]
    MEMBER_STATE_SUSPENDED: _ClassVar[MemberState]
NODE_ROLE_UNSPECIFIED: NodeRole
NODE_ROLE_MANAGER: NodeRole
NODE_ROLE_STORAGE: NodeRole
MEMBER_STATE_UNSPECIFIED: MemberState
MEMBER_STATE_ACTIVE: MemberState
MEMBER_STATE_SUSPENDED: MemberState

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("role", "node_id", "consortium_name", "consortium_id", "height", "block_id", "tree_size", "root", "peers", "syncing", "round", "step", "pool_submissions", "version", "state_digest", "waiting", "sync", "abstaining", "scrub", "halted")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    CONSORTIUM_NAME_FIELD_NUMBER: _ClassVar[int]
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    SYNCING_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    POOL_SUBMISSIONS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    SYNC_FIELD_NUMBER: _ClassVar[int]
    ABSTAINING_FIELD_NUMBER: _ClassVar[int]
    SCRUB_FIELD_NUMBER: _ClassVar[int]
    HALTED_FIELD_NUMBER: _ClassVar[int]
    role: NodeRole
    node_id: str
    consortium_name: str
    consortium_id: bytes
    height: int
    block_id: bytes
    tree_size: int
    root: bytes
    peers: _containers.RepeatedCompositeFieldContainer[PeerStatus]
    syncing: bool
    round: int
    step: str
    pool_submissions: int
    version: str
    state_digest: bytes
    waiting: Waiting
    sync: SyncProgress
    abstaining: str
    scrub: ScrubStatus
    halted: str
    def __init__(self, role: _Optional[_Union[NodeRole, str]] = ..., node_id: _Optional[str] = ..., consortium_name: _Optional[str] = ..., consortium_id: _Optional[bytes] = ..., height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., tree_size: _Optional[int] = ..., root: _Optional[bytes] = ..., peers: _Optional[_Iterable[_Union[PeerStatus, _Mapping]]] = ..., syncing: _Optional[bool] = ..., round: _Optional[int] = ..., step: _Optional[str] = ..., pool_submissions: _Optional[int] = ..., version: _Optional[str] = ..., state_digest: _Optional[bytes] = ..., waiting: _Optional[_Union[Waiting, _Mapping]] = ..., sync: _Optional[_Union[SyncProgress, _Mapping]] = ..., abstaining: _Optional[str] = ..., scrub: _Optional[_Union[ScrubStatus, _Mapping]] = ..., halted: _Optional[str] = ...) -> None: ...

class ScrubStatus(_message.Message):
    __slots__ = ("checked_height", "last_pass_unix_ms", "damaged", "repaired", "last_damage", "repairing")
    CHECKED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    LAST_PASS_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    DAMAGED_FIELD_NUMBER: _ClassVar[int]
    REPAIRED_FIELD_NUMBER: _ClassVar[int]
    LAST_DAMAGE_FIELD_NUMBER: _ClassVar[int]
    REPAIRING_FIELD_NUMBER: _ClassVar[int]
    checked_height: int
    last_pass_unix_ms: int
    damaged: int
    repaired: int
    last_damage: str
    repairing: bool
    def __init__(self, checked_height: _Optional[int] = ..., last_pass_unix_ms: _Optional[int] = ..., damaged: _Optional[int] = ..., repaired: _Optional[int] = ..., last_damage: _Optional[str] = ..., repairing: _Optional[bool] = ...) -> None: ...

class Waiting(_message.Message):
    __slots__ = ("text", "step_ms", "height_ms", "missing_proposer", "missing_accepts", "missing_approvals", "missing_commits", "missing_attestations")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    STEP_MS_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_MS_FIELD_NUMBER: _ClassVar[int]
    MISSING_PROPOSER_FIELD_NUMBER: _ClassVar[int]
    MISSING_ACCEPTS_FIELD_NUMBER: _ClassVar[int]
    MISSING_APPROVALS_FIELD_NUMBER: _ClassVar[int]
    MISSING_COMMITS_FIELD_NUMBER: _ClassVar[int]
    MISSING_ATTESTATIONS_FIELD_NUMBER: _ClassVar[int]
    text: str
    step_ms: int
    height_ms: int
    missing_proposer: str
    missing_accepts: _containers.RepeatedScalarFieldContainer[str]
    missing_approvals: _containers.RepeatedScalarFieldContainer[str]
    missing_commits: _containers.RepeatedScalarFieldContainer[str]
    missing_attestations: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, text: _Optional[str] = ..., step_ms: _Optional[int] = ..., height_ms: _Optional[int] = ..., missing_proposer: _Optional[str] = ..., missing_accepts: _Optional[_Iterable[str]] = ..., missing_approvals: _Optional[_Iterable[str]] = ..., missing_commits: _Optional[_Iterable[str]] = ..., missing_attestations: _Optional[_Iterable[str]] = ...) -> None: ...

class SyncProgress(_message.Message):
    __slots__ = ("target_height", "blocks_per_second", "seconds_left", "peer_id")
    TARGET_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    SECONDS_LEFT_FIELD_NUMBER: _ClassVar[int]
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    target_height: int
    blocks_per_second: float
    seconds_left: int
    peer_id: str
    def __init__(self, target_height: _Optional[int] = ..., blocks_per_second: _Optional[float] = ..., seconds_left: _Optional[int] = ..., peer_id: _Optional[str] = ...) -> None: ...

class PeerStatus(_message.Message):
    __slots__ = ("peer_id", "role", "connected", "height", "false_objections", "halted")
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    FALSE_OBJECTIONS_FIELD_NUMBER: _ClassVar[int]
    HALTED_FIELD_NUMBER: _ClassVar[int]
    peer_id: str
    role: NodeRole
    connected: bool
    height: int
    false_objections: int
    halted: str
    def __init__(self, peer_id: _Optional[str] = ..., role: _Optional[_Union[NodeRole, str]] = ..., connected: _Optional[bool] = ..., height: _Optional[int] = ..., false_objections: _Optional[int] = ..., halted: _Optional[str] = ...) -> None: ...

class GetRecordRequest(_message.Message):
    __slots__ = ("record_hash",)
    RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    record_hash: bytes
    def __init__(self, record_hash: _Optional[bytes] = ...) -> None: ...

class GetRecordResponse(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: RecordEntry
    def __init__(self, entry: _Optional[_Union[RecordEntry, _Mapping]] = ...) -> None: ...

class RecordEntry(_message.Message):
    __slots__ = ("record_hash", "height", "position", "seal_digest", "record", "decoded", "successor")
    RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SEAL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    DECODED_FIELD_NUMBER: _ClassVar[int]
    SUCCESSOR_FIELD_NUMBER: _ClassVar[int]
    record_hash: bytes
    height: int
    position: int
    seal_digest: bytes
    record: bytes
    decoded: _record_pb2.Record
    successor: bytes
    def __init__(self, record_hash: _Optional[bytes] = ..., height: _Optional[int] = ..., position: _Optional[int] = ..., seal_digest: _Optional[bytes] = ..., record: _Optional[bytes] = ..., decoded: _Optional[_Union[_record_pb2.Record, _Mapping]] = ..., successor: _Optional[bytes] = ...) -> None: ...

class GetReceiptRequest(_message.Message):
    __slots__ = ("record_hash",)
    RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    record_hash: bytes
    def __init__(self, record_hash: _Optional[bytes] = ...) -> None: ...

class GetReceiptResponse(_message.Message):
    __slots__ = ("receipt",)
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: Receipt
    def __init__(self, receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("record_hash", "height", "block_id", "time_unix_ms", "confirmations", "position", "seal_digest", "inclusion_proof", "header", "commit_certificate", "storage_attestations", "previous_header")
    RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATIONS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SEAL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    INCLUSION_PROOF_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    COMMIT_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    STORAGE_ATTESTATIONS_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_HEADER_FIELD_NUMBER: _ClassVar[int]
    record_hash: bytes
    height: int
    block_id: bytes
    time_unix_ms: int
    confirmations: int
    position: int
    seal_digest: bytes
    inclusion_proof: _containers.RepeatedScalarFieldContainer[bytes]
    header: bytes
    commit_certificate: _block_pb2.CommitCertificate
    storage_attestations: int
    previous_header: bytes
    def __init__(self, record_hash: _Optional[bytes] = ..., height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., time_unix_ms: _Optional[int] = ..., confirmations: _Optional[int] = ..., position: _Optional[int] = ..., seal_digest: _Optional[bytes] = ..., inclusion_proof: _Optional[_Iterable[bytes]] = ..., header: _Optional[bytes] = ..., commit_certificate: _Optional[_Union[_block_pb2.CommitCertificate, _Mapping]] = ..., storage_attestations: _Optional[int] = ..., previous_header: _Optional[bytes] = ...) -> None: ...

class GetRecordHistoryRequest(_message.Message):
    __slots__ = ("record_hash", "page_size", "page_token")
    RECORD_HASH_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    record_hash: bytes
    page_size: int
    page_token: str
    def __init__(self, record_hash: _Optional[bytes] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetRecordHistoryResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[RecordEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[RecordEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListRecordsRequest(_message.Message):
    __slots__ = ("participant_id", "meter_id", "from_unix_ms", "to_unix_ms", "page_size", "page_token")
    PARTICIPANT_ID_FIELD_NUMBER: _ClassVar[int]
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    TO_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    participant_id: str
    meter_id: str
    from_unix_ms: int
    to_unix_ms: int
    page_size: int
    page_token: str
    def __init__(self, participant_id: _Optional[str] = ..., meter_id: _Optional[str] = ..., from_unix_ms: _Optional[int] = ..., to_unix_ms: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRecordsResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[RecordEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[RecordEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetSettlementRequest(_message.Message):
    __slots__ = ("participant_id", "from_unix_s", "to_unix_s", "tariff_hash", "height")
    PARTICIPANT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    TO_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    TARIFF_HASH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    participant_id: str
    from_unix_s: int
    to_unix_s: int
    tariff_hash: bytes
    height: int
    def __init__(self, participant_id: _Optional[str] = ..., from_unix_s: _Optional[int] = ..., to_unix_s: _Optional[int] = ..., tariff_hash: _Optional[bytes] = ..., height: _Optional[int] = ...) -> None: ...

class GetSettlementResponse(_message.Message):
    __slots__ = ("settlement",)
    SETTLEMENT_FIELD_NUMBER: _ClassVar[int]
    settlement: Settlement
    def __init__(self, settlement: _Optional[_Union[Settlement, _Mapping]] = ...) -> None: ...

class Settlement(_message.Message):
    __slots__ = ("participant_id", "from_unix_s", "to_unix_s", "tariff_hash", "height", "block_id", "tree_size", "root", "currency", "minor_unit_digits", "days", "total")
    PARTICIPANT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    TO_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    TARIFF_HASH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MINOR_UNIT_DIGITS_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    participant_id: str
    from_unix_s: int
    to_unix_s: int
    tariff_hash: bytes
    height: int
    block_id: bytes
    tree_size: int
    root: bytes
    currency: str
    minor_unit_digits: int
    days: _containers.RepeatedCompositeFieldContainer[SettlementDay]
    total: SettlementAmounts
    def __init__(self, participant_id: _Optional[str] = ..., from_unix_s: _Optional[int] = ..., to_unix_s: _Optional[int] = ..., tariff_hash: _Optional[bytes] = ..., height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., tree_size: _Optional[int] = ..., root: _Optional[bytes] = ..., currency: _Optional[str] = ..., minor_unit_digits: _Optional[int] = ..., days: _Optional[_Iterable[_Union[SettlementDay, _Mapping]]] = ..., total: _Optional[_Union[SettlementAmounts, _Mapping]] = ...) -> None: ...

class SettlementDay(_message.Message):
    __slots__ = ("start_unix_s", "amounts", "record_count", "records_digest")
    START_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    RECORD_COUNT_FIELD_NUMBER: _ClassVar[int]
    RECORDS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    start_unix_s: int
    amounts: SettlementAmounts
    record_count: int
    records_digest: bytes
    def __init__(self, start_unix_s: _Optional[int] = ..., amounts: _Optional[_Union[SettlementAmounts, _Mapping]] = ..., record_count: _Optional[int] = ..., records_digest: _Optional[bytes] = ...) -> None: ...

class SettlementAmounts(_message.Message):
    __slots__ = ("imported_wh", "exported_wh", "bought_wh", "sold_wh", "from_grid_wh", "to_grid_wh", "from_grid_cost", "bought_cost", "to_grid_credit", "sold_credit", "due")
    IMPORTED_WH_FIELD_NUMBER: _ClassVar[int]
    EXPORTED_WH_FIELD_NUMBER: _ClassVar[int]
    BOUGHT_WH_FIELD_NUMBER: _ClassVar[int]
    SOLD_WH_FIELD_NUMBER: _ClassVar[int]
    FROM_GRID_WH_FIELD_NUMBER: _ClassVar[int]
    TO_GRID_WH_FIELD_NUMBER: _ClassVar[int]
    FROM_GRID_COST_FIELD_NUMBER: _ClassVar[int]
    BOUGHT_COST_FIELD_NUMBER: _ClassVar[int]
    TO_GRID_CREDIT_FIELD_NUMBER: _ClassVar[int]
    SOLD_CREDIT_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    imported_wh: int
    exported_wh: int
    bought_wh: int
    sold_wh: int
    from_grid_wh: int
    to_grid_wh: int
    from_grid_cost: int
    bought_cost: int
    to_grid_credit: int
    sold_credit: int
    due: int
    def __init__(self, imported_wh: _Optional[int] = ..., exported_wh: _Optional[int] = ..., bought_wh: _Optional[int] = ..., sold_wh: _Optional[int] = ..., from_grid_wh: _Optional[int] = ..., to_grid_wh: _Optional[int] = ..., from_grid_cost: _Optional[int] = ..., bought_cost: _Optional[int] = ..., to_grid_credit: _Optional[int] = ..., sold_credit: _Optional[int] = ..., due: _Optional[int] = ...) -> None: ...

class GetBlockRequest(_message.Message):
    __slots__ = ("height", "block_id", "headers_only")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    HEADERS_ONLY_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_id: bytes
    headers_only: bool
    def __init__(self, height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., headers_only: _Optional[bool] = ...) -> None: ...

class GetBlockResponse(_message.Message):
    __slots__ = ("block",)
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    block: BlockView
    def __init__(self, block: _Optional[_Union[BlockView, _Mapping]] = ...) -> None: ...

class BlockView(_message.Message):
    __slots__ = ("height", "block_id", "block", "certificates", "header", "confirmations", "storage_header")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATIONS_FIELD_NUMBER: _ClassVar[int]
    STORAGE_HEADER_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_id: bytes
    block: _block_pb2.Block
    certificates: _block_pb2.BlockCertificates
    header: _block_pb2.ManagerBlockHeader
    confirmations: int
    storage_header: bytes
    def __init__(self, height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., block: _Optional[_Union[_block_pb2.Block, _Mapping]] = ..., certificates: _Optional[_Union[_block_pb2.BlockCertificates, _Mapping]] = ..., header: _Optional[_Union[_block_pb2.ManagerBlockHeader, _Mapping]] = ..., confirmations: _Optional[int] = ..., storage_header: _Optional[bytes] = ...) -> None: ...

class ListBlocksRequest(_message.Message):
    __slots__ = ("from_height", "page_size", "page_token", "headers_only")
    FROM_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    HEADERS_ONLY_FIELD_NUMBER: _ClassVar[int]
    from_height: int
    page_size: int
    page_token: str
    headers_only: bool
    def __init__(self, from_height: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., headers_only: _Optional[bool] = ...) -> None: ...

class ListBlocksResponse(_message.Message):
    __slots__ = ("blocks", "next_page_token")
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    blocks: _containers.RepeatedCompositeFieldContainer[BlockView]
    next_page_token: str
    def __init__(self, blocks: _Optional[_Iterable[_Union[BlockView, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetConsistencyProofRequest(_message.Message):
    __slots__ = ("from_tree_size", "to_tree_size")
    FROM_TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    TO_TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    from_tree_size: int
    to_tree_size: int
    def __init__(self, from_tree_size: _Optional[int] = ..., to_tree_size: _Optional[int] = ...) -> None: ...

class GetConsistencyProofResponse(_message.Message):
    __slots__ = ("from_tree_size", "to_tree_size", "from_root", "to_root", "proof")
    FROM_TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    TO_TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    FROM_ROOT_FIELD_NUMBER: _ClassVar[int]
    TO_ROOT_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    from_tree_size: int
    to_tree_size: int
    from_root: bytes
    to_root: bytes
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, from_tree_size: _Optional[int] = ..., to_tree_size: _Optional[int] = ..., from_root: _Optional[bytes] = ..., to_root: _Optional[bytes] = ..., proof: _Optional[_Iterable[bytes]] = ...) -> None: ...

class WatchBlocksRequest(_message.Message):
    __slots__ = ("from_height", "headers_only")
    FROM_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HEADERS_ONLY_FIELD_NUMBER: _ClassVar[int]
    from_height: int
    headers_only: bool
    def __init__(self, from_height: _Optional[int] = ..., headers_only: _Optional[bool] = ...) -> None: ...

class WatchBlocksResponse(_message.Message):
    __slots__ = ("block",)
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    block: BlockView
    def __init__(self, block: _Optional[_Union[BlockView, _Mapping]] = ...) -> None: ...

class GetConsortiumRequest(_message.Message):
    __slots__ = ("history_page_size", "history_page_token")
    HISTORY_PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    HISTORY_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    history_page_size: int
    history_page_token: str
    def __init__(self, history_page_size: _Optional[int] = ..., history_page_token: _Optional[str] = ...) -> None: ...

class GetConsortiumResponse(_message.Message):
    __slots__ = ("consortium_name", "consortium_id", "managers", "policy", "rules", "history", "next_history_page_token")
    CONSORTIUM_NAME_FIELD_NUMBER: _ClassVar[int]
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    MANAGERS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    NEXT_HISTORY_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    consortium_name: str
    consortium_id: bytes
    managers: _containers.RepeatedCompositeFieldContainer[ManagerStatus]
    policy: _genesis_pb2.Policy
    rules: _containers.RepeatedScalarFieldContainer[str]
    history: _containers.RepeatedCompositeFieldContainer[MembershipChange]
    next_history_page_token: str
    def __init__(self, consortium_name: _Optional[str] = ..., consortium_id: _Optional[bytes] = ..., managers: _Optional[_Iterable[_Union[ManagerStatus, _Mapping]]] = ..., policy: _Optional[_Union[_genesis_pb2.Policy, _Mapping]] = ..., rules: _Optional[_Iterable[str]] = ..., history: _Optional[_Iterable[_Union[MembershipChange, _Mapping]]] = ..., next_history_page_token: _Optional[str] = ...) -> None: ...

class ManagerStatus(_message.Message):
    __slots__ = ("member", "active", "reason", "changed_height", "changed_at_unix_ms", "absences", "offence_height")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    ABSENCES_FIELD_NUMBER: _ClassVar[int]
    OFFENCE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    member: _genesis_pb2.ManagerMember
    active: bool
    reason: _members_pb2.SuspensionReason
    changed_height: int
    changed_at_unix_ms: int
    absences: int
    offence_height: int
    def __init__(self, member: _Optional[_Union[_genesis_pb2.ManagerMember, _Mapping]] = ..., active: _Optional[bool] = ..., reason: _Optional[_Union[_members_pb2.SuspensionReason, str]] = ..., changed_height: _Optional[int] = ..., changed_at_unix_ms: _Optional[int] = ..., absences: _Optional[int] = ..., offence_height: _Optional[int] = ...) -> None: ...

class MembershipChange(_message.Message):
    __slots__ = ("height", "operation")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    height: int
    operation: _genesis_pb2.ControlOperation
    def __init__(self, height: _Optional[int] = ..., operation: _Optional[_Union[_genesis_pb2.ControlOperation, _Mapping]] = ...) -> None: ...

class ListStorageNodesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListStorageNodesResponse(_message.Message):
    __slots__ = ("nodes", "next_page_token")
    NODES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[StorageNodeStatus]
    next_page_token: str
    def __init__(self, nodes: _Optional[_Iterable[_Union[StorageNodeStatus, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetForkRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetForkResponse(_message.Message):
    __slots__ = ("halted", "fork", "accused_ids", "contradicting")
    HALTED_FIELD_NUMBER: _ClassVar[int]
    FORK_FIELD_NUMBER: _ClassVar[int]
    ACCUSED_IDS_FIELD_NUMBER: _ClassVar[int]
    CONTRADICTING_FIELD_NUMBER: _ClassVar[int]
    halted: str
    fork: _vote_pb2.ForkProof
    accused_ids: _containers.RepeatedScalarFieldContainer[str]
    contradicting: _block_pb2.CommitCertificate
    def __init__(self, halted: _Optional[str] = ..., fork: _Optional[_Union[_vote_pb2.ForkProof, _Mapping]] = ..., accused_ids: _Optional[_Iterable[str]] = ..., contradicting: _Optional[_Union[_block_pb2.CommitCertificate, _Mapping]] = ...) -> None: ...

class StorageNodeStatus(_message.Message):
    __slots__ = ("node_id", "state", "credit", "reward", "last_attested_height", "sponsor_id", "connected", "suspension", "eligible", "paid", "admitted_height", "changed_height", "changed_at_unix_ms", "audit_failed", "height", "halted")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    LAST_ATTESTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SPONSOR_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    SUSPENSION_FIELD_NUMBER: _ClassVar[int]
    ELIGIBLE_FIELD_NUMBER: _ClassVar[int]
    PAID_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FAILED_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HALTED_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    state: MemberState
    credit: int
    reward: int
    last_attested_height: int
    sponsor_id: str
    connected: bool
    suspension: _members_pb2.StorageSuspension
    eligible: bool
    paid: int
    admitted_height: int
    changed_height: int
    changed_at_unix_ms: int
    audit_failed: bool
    height: int
    halted: str
    def __init__(self, node_id: _Optional[str] = ..., state: _Optional[_Union[MemberState, str]] = ..., credit: _Optional[int] = ..., reward: _Optional[int] = ..., last_attested_height: _Optional[int] = ..., sponsor_id: _Optional[str] = ..., connected: _Optional[bool] = ..., suspension: _Optional[_Union[_members_pb2.StorageSuspension, str]] = ..., eligible: _Optional[bool] = ..., paid: _Optional[int] = ..., admitted_height: _Optional[int] = ..., changed_height: _Optional[int] = ..., changed_at_unix_ms: _Optional[int] = ..., audit_failed: _Optional[bool] = ..., height: _Optional[int] = ..., halted: _Optional[str] = ...) -> None: ...
