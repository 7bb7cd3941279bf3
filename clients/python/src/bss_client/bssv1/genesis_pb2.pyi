from bss_client.bssv1 import block_pb2 as _block_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SuspensionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUSPENSION_MODE_UNSPECIFIED: _ClassVar[SuspensionMode]
    SUSPENSION_MODE_NEVER: _ClassVar[SuspensionMode]
    SUSPENSION_MODE_FLOOR: _ClassVar[SuspensionMode]

class InvitedRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVITED_ROLE_UNSPECIFIED: _ClassVar[InvitedRole]
    INVITED_ROLE_STORAGE: _ClassVar[InvitedRole]
    INVITED_ROLE_PARTICIPANT: _ClassVar[InvitedRole]

class OfficerRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OFFICER_ROLE_UNSPECIFIED: _ClassVar[OfficerRole]
    OFFICER_ROLE_OPERATOR: _ClassVar[OfficerRole]
    OFFICER_ROLE_AUDITOR: _ClassVar[OfficerRole]
SUSPENSION_MODE_UNSPECIFIED: SuspensionMode
SUSPENSION_MODE_NEVER: SuspensionMode
SUSPENSION_MODE_FLOOR: SuspensionMode
INVITED_ROLE_UNSPECIFIED: InvitedRole
INVITED_ROLE_STORAGE: InvitedRole
INVITED_ROLE_PARTICIPANT: InvitedRole
OFFICER_ROLE_UNSPECIFIED: OfficerRole
OFFICER_ROLE_OPERATOR: OfficerRole
OFFICER_ROLE_AUDITOR: OfficerRole

class Genesis(_message.Message):
    __slots__ = ("consortium_name", "time_unix_ms", "managers", "policy", "epoch_commitment", "beacon", "operations", "ca_certificates_pem")
    CONSORTIUM_NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    MANAGERS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    EPOCH_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    BEACON_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    CA_CERTIFICATES_PEM_FIELD_NUMBER: _ClassVar[int]
    consortium_name: str
    time_unix_ms: int
    managers: _containers.RepeatedCompositeFieldContainer[ManagerMember]
    policy: Policy
    epoch_commitment: bytes
    beacon: bytes
    operations: _containers.RepeatedCompositeFieldContainer[ControlOperation]
    ca_certificates_pem: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, consortium_name: _Optional[str] = ..., time_unix_ms: _Optional[int] = ..., managers: _Optional[_Iterable[_Union[ManagerMember, _Mapping]]] = ..., policy: _Optional[_Union[Policy, _Mapping]] = ..., epoch_commitment: _Optional[bytes] = ..., beacon: _Optional[bytes] = ..., operations: _Optional[_Iterable[_Union[ControlOperation, _Mapping]]] = ..., ca_certificates_pem: _Optional[_Iterable[str]] = ...) -> None: ...

class ManagerMember(_message.Message):
    __slots__ = ("manager_id", "signing_key", "vrf_key", "hpke_key", "tls_spki_sha256", "address")
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_FIELD_NUMBER: _ClassVar[int]
    VRF_KEY_FIELD_NUMBER: _ClassVar[int]
    HPKE_KEY_FIELD_NUMBER: _ClassVar[int]
    TLS_SPKI_SHA256_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    manager_id: str
    signing_key: bytes
    vrf_key: bytes
    hpke_key: bytes
    tls_spki_sha256: bytes
    address: str
    def __init__(self, manager_id: _Optional[str] = ..., signing_key: _Optional[bytes] = ..., vrf_key: _Optional[bytes] = ..., hpke_key: _Optional[bytes] = ..., tls_spki_sha256: _Optional[bytes] = ..., address: _Optional[str] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ("future_bound_ms", "block_records_max", "block_bytes_max", "submission_records_max", "record_bytes_max", "verdict_wait_ms", "timeouts", "heartbeat_ms", "min_storage", "delivery_interval_s", "price_min_micro_per_kwh", "price_max_micro_per_kwh", "currency", "audit_records", "boycott_line", "suspension", "suspend_after_ms", "resume_wait_ms", "resume_wait_max_ms", "match_reward", "storage_reward", "audits_per_block", "unreachable_after_ms", "delivery_offset_s")
    FUTURE_BOUND_MS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_RECORDS_MAX_FIELD_NUMBER: _ClassVar[int]
    BLOCK_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    SUBMISSION_RECORDS_MAX_FIELD_NUMBER: _ClassVar[int]
    RECORD_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    VERDICT_WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUTS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_MS_FIELD_NUMBER: _ClassVar[int]
    MIN_STORAGE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    PRICE_MIN_MICRO_PER_KWH_FIELD_NUMBER: _ClassVar[int]
    PRICE_MAX_MICRO_PER_KWH_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AUDIT_RECORDS_FIELD_NUMBER: _ClassVar[int]
    BOYCOTT_LINE_FIELD_NUMBER: _ClassVar[int]
    SUSPENSION_FIELD_NUMBER: _ClassVar[int]
    SUSPEND_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    RESUME_WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    RESUME_WAIT_MAX_MS_FIELD_NUMBER: _ClassVar[int]
    MATCH_REWARD_FIELD_NUMBER: _ClassVar[int]
    STORAGE_REWARD_FIELD_NUMBER: _ClassVar[int]
    AUDITS_PER_BLOCK_FIELD_NUMBER: _ClassVar[int]
    UNREACHABLE_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_OFFSET_S_FIELD_NUMBER: _ClassVar[int]
    future_bound_ms: int
    block_records_max: int
    block_bytes_max: int
    submission_records_max: int
    record_bytes_max: int
    verdict_wait_ms: int
    timeouts: RoundTimeouts
    heartbeat_ms: int
    min_storage: int
    delivery_interval_s: int
    price_min_micro_per_kwh: int
    price_max_micro_per_kwh: int
    currency: str
    audit_records: int
    boycott_line: int
    suspension: SuspensionMode
    suspend_after_ms: int
    resume_wait_ms: int
    resume_wait_max_ms: int
    match_reward: int
    storage_reward: int
    audits_per_block: int
    unreachable_after_ms: int
    delivery_offset_s: int
    def __init__(self, future_bound_ms: _Optional[int] = ..., block_records_max: _Optional[int] = ..., block_bytes_max: _Optional[int] = ..., submission_records_max: _Optional[int] = ..., record_bytes_max: _Optional[int] = ..., verdict_wait_ms: _Optional[int] = ..., timeouts: _Optional[_Union[RoundTimeouts, _Mapping]] = ..., heartbeat_ms: _Optional[int] = ..., min_storage: _Optional[int] = ..., delivery_interval_s: _Optional[int] = ..., price_min_micro_per_kwh: _Optional[int] = ..., price_max_micro_per_kwh: _Optional[int] = ..., currency: _Optional[str] = ..., audit_records: _Optional[int] = ..., boycott_line: _Optional[int] = ..., suspension: _Optional[_Union[SuspensionMode, str]] = ..., suspend_after_ms: _Optional[int] = ..., resume_wait_ms: _Optional[int] = ..., resume_wait_max_ms: _Optional[int] = ..., match_reward: _Optional[int] = ..., storage_reward: _Optional[int] = ..., audits_per_block: _Optional[int] = ..., unreachable_after_ms: _Optional[int] = ..., delivery_offset_s: _Optional[int] = ...) -> None: ...

class RoundTimeouts(_message.Message):
    __slots__ = ("propose_ms", "approve_ms", "verify_ms", "commit_ms", "step_ms", "max_ms")
    PROPOSE_MS_FIELD_NUMBER: _ClassVar[int]
    APPROVE_MS_FIELD_NUMBER: _ClassVar[int]
    VERIFY_MS_FIELD_NUMBER: _ClassVar[int]
    COMMIT_MS_FIELD_NUMBER: _ClassVar[int]
    STEP_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_MS_FIELD_NUMBER: _ClassVar[int]
    propose_ms: int
    approve_ms: int
    verify_ms: int
    commit_ms: int
    step_ms: int
    max_ms: int
    def __init__(self, propose_ms: _Optional[int] = ..., approve_ms: _Optional[int] = ..., verify_ms: _Optional[int] = ..., commit_ms: _Optional[int] = ..., step_ms: _Optional[int] = ..., max_ms: _Optional[int] = ...) -> None: ...

class ControlOperation(_message.Message):
    __slots__ = ("admit_storage_node", "register_participant", "register_meter", "register_officer", "suspend_manager", "resume_manager", "evidence", "retire_storage_node", "suspend_storage_node", "return_storage_node", "carry_attestations", "fail_audit", "record_payout")
    ADMIT_STORAGE_NODE_FIELD_NUMBER: _ClassVar[int]
    REGISTER_PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REGISTER_METER_FIELD_NUMBER: _ClassVar[int]
    REGISTER_OFFICER_FIELD_NUMBER: _ClassVar[int]
    SUSPEND_MANAGER_FIELD_NUMBER: _ClassVar[int]
    RESUME_MANAGER_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    RETIRE_STORAGE_NODE_FIELD_NUMBER: _ClassVar[int]
    SUSPEND_STORAGE_NODE_FIELD_NUMBER: _ClassVar[int]
    RETURN_STORAGE_NODE_FIELD_NUMBER: _ClassVar[int]
    CARRY_ATTESTATIONS_FIELD_NUMBER: _ClassVar[int]
    FAIL_AUDIT_FIELD_NUMBER: _ClassVar[int]
    RECORD_PAYOUT_FIELD_NUMBER: _ClassVar[int]
    admit_storage_node: AdmitStorageNode
    register_participant: RegisterParticipant
    register_meter: RegisterMeter
    register_officer: RegisterOfficer
    suspend_manager: SuspendManager
    resume_manager: ResumeManager
    evidence: Evidence
    retire_storage_node: RetireStorageNode
    suspend_storage_node: SuspendStorageNode
    return_storage_node: ReturnStorageNode
    carry_attestations: CarryAttestations
    fail_audit: FailAudit
    record_payout: RecordPayout
    def __init__(self, admit_storage_node: _Optional[_Union[AdmitStorageNode, _Mapping]] = ..., register_participant: _Optional[_Union[RegisterParticipant, _Mapping]] = ..., register_meter: _Optional[_Union[RegisterMeter, _Mapping]] = ..., register_officer: _Optional[_Union[RegisterOfficer, _Mapping]] = ..., suspend_manager: _Optional[_Union[SuspendManager, _Mapping]] = ..., resume_manager: _Optional[_Union[ResumeManager, _Mapping]] = ..., evidence: _Optional[_Union[Evidence, _Mapping]] = ..., retire_storage_node: _Optional[_Union[RetireStorageNode, _Mapping]] = ..., suspend_storage_node: _Optional[_Union[SuspendStorageNode, _Mapping]] = ..., return_storage_node: _Optional[_Union[ReturnStorageNode, _Mapping]] = ..., carry_attestations: _Optional[_Union[CarryAttestations, _Mapping]] = ..., fail_audit: _Optional[_Union[FailAudit, _Mapping]] = ..., record_payout: _Optional[_Union[RecordPayout, _Mapping]] = ...) -> None: ...

class SuspendManager(_message.Message):
    __slots__ = ("manager_id",)
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    manager_id: str
    def __init__(self, manager_id: _Optional[str] = ...) -> None: ...

class ResumeManager(_message.Message):
    __slots__ = ("manager_id", "suspended_height", "held_height", "signature")
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HELD_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    manager_id: str
    suspended_height: int
    held_height: int
    signature: bytes
    def __init__(self, manager_id: _Optional[str] = ..., suspended_height: _Optional[int] = ..., held_height: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("manager_id", "proposals", "votes", "broken_lock")
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    BROKEN_LOCK_FIELD_NUMBER: _ClassVar[int]
    manager_id: str
    proposals: ConflictingProposals
    votes: ConflictingVotes
    broken_lock: ConflictingVotes
    def __init__(self, manager_id: _Optional[str] = ..., proposals: _Optional[_Union[ConflictingProposals, _Mapping]] = ..., votes: _Optional[_Union[ConflictingVotes, _Mapping]] = ..., broken_lock: _Optional[_Union[ConflictingVotes, _Mapping]] = ...) -> None: ...

class ConflictingProposals(_message.Message):
    __slots__ = ("first", "second")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    first: SignedProposal
    second: SignedProposal
    def __init__(self, first: _Optional[_Union[SignedProposal, _Mapping]] = ..., second: _Optional[_Union[SignedProposal, _Mapping]] = ...) -> None: ...

class ConflictingVotes(_message.Message):
    __slots__ = ("first", "second")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    first: SignedVote
    second: SignedVote
    def __init__(self, first: _Optional[_Union[SignedVote, _Mapping]] = ..., second: _Optional[_Union[SignedVote, _Mapping]] = ...) -> None: ...

class SignedProposal(_message.Message):
    __slots__ = ("height", "round", "valid_round", "block_id", "signature")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    VALID_ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    height: int
    round: int
    valid_round: int
    block_id: bytes
    signature: bytes
    def __init__(self, height: _Optional[int] = ..., round: _Optional[int] = ..., valid_round: _Optional[int] = ..., block_id: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SignedVote(_message.Message):
    __slots__ = ("commit", "height", "round", "valid_round", "block_id", "signature")
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    VALID_ROUND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    commit: bool
    height: int
    round: int
    valid_round: int
    block_id: bytes
    signature: bytes
    def __init__(self, commit: _Optional[bool] = ..., height: _Optional[int] = ..., round: _Optional[int] = ..., valid_round: _Optional[int] = ..., block_id: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class AdmitStorageNode(_message.Message):
    __slots__ = ("node_id", "signing_key", "tls_spki_sha256", "sponsor_id", "consent")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_FIELD_NUMBER: _ClassVar[int]
    TLS_SPKI_SHA256_FIELD_NUMBER: _ClassVar[int]
    SPONSOR_ID_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    signing_key: bytes
    tls_spki_sha256: bytes
    sponsor_id: str
    consent: Consent
    def __init__(self, node_id: _Optional[str] = ..., signing_key: _Optional[bytes] = ..., tls_spki_sha256: _Optional[bytes] = ..., sponsor_id: _Optional[str] = ..., consent: _Optional[_Union[Consent, _Mapping]] = ...) -> None: ...

class Consent(_message.Message):
    __slots__ = ("invitation", "invitation_signature", "possession_signature", "bearer_signature")
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    INVITATION_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    POSSESSION_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    BEARER_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    invitation: bytes
    invitation_signature: bytes
    possession_signature: bytes
    bearer_signature: bytes
    def __init__(self, invitation: _Optional[bytes] = ..., invitation_signature: _Optional[bytes] = ..., possession_signature: _Optional[bytes] = ..., bearer_signature: _Optional[bytes] = ...) -> None: ...

class Invitation(_message.Message):
    __slots__ = ("consortium_id", "invitation_id", "operator_id", "role", "uses_max", "expires_at_unix_ms", "checkpoint", "member_id", "agent_ids", "meters", "bearer_key")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    INVITATION_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    USES_MAX_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_IDS_FIELD_NUMBER: _ClassVar[int]
    METERS_FIELD_NUMBER: _ClassVar[int]
    BEARER_KEY_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    invitation_id: bytes
    operator_id: str
    role: InvitedRole
    uses_max: int
    expires_at_unix_ms: int
    checkpoint: Checkpoint
    member_id: str
    agent_ids: _containers.RepeatedScalarFieldContainer[str]
    meters: _containers.RepeatedCompositeFieldContainer[InvitedMeter]
    bearer_key: bytes
    def __init__(self, consortium_id: _Optional[bytes] = ..., invitation_id: _Optional[bytes] = ..., operator_id: _Optional[str] = ..., role: _Optional[_Union[InvitedRole, str]] = ..., uses_max: _Optional[int] = ..., expires_at_unix_ms: _Optional[int] = ..., checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ..., member_id: _Optional[str] = ..., agent_ids: _Optional[_Iterable[str]] = ..., meters: _Optional[_Iterable[_Union[InvitedMeter, _Mapping]]] = ..., bearer_key: _Optional[bytes] = ...) -> None: ...

class InvitedMeter(_message.Message):
    __slots__ = ("meter_id", "rated_power_w", "interval_s")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    RATED_POWER_W_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    rated_power_w: int
    interval_s: int
    def __init__(self, meter_id: _Optional[str] = ..., rated_power_w: _Optional[int] = ..., interval_s: _Optional[int] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("height", "block_id", "members_digest")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    height: int
    block_id: bytes
    members_digest: bytes
    def __init__(self, height: _Optional[int] = ..., block_id: _Optional[bytes] = ..., members_digest: _Optional[bytes] = ...) -> None: ...

class RetireStorageNode(_message.Message):
    __slots__ = ("node_id", "admitted_height", "operator_id", "signature")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    admitted_height: int
    operator_id: str
    signature: bytes
    def __init__(self, node_id: _Optional[str] = ..., admitted_height: _Optional[int] = ..., operator_id: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SuspendStorageNode(_message.Message):
    __slots__ = ("node_id", "claims")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    claims: _containers.RepeatedCompositeFieldContainer[UnreachableClaim]
    def __init__(self, node_id: _Optional[str] = ..., claims: _Optional[_Iterable[_Union[UnreachableClaim, _Mapping]]] = ...) -> None: ...

class UnreachableClaim(_message.Message):
    __slots__ = ("manager_id", "height", "signature")
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    manager_id: str
    height: int
    signature: bytes
    def __init__(self, manager_id: _Optional[str] = ..., height: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class ReturnStorageNode(_message.Message):
    __slots__ = ("node_id", "suspended_height", "held_height", "signature")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HELD_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    suspended_height: int
    held_height: int
    signature: bytes
    def __init__(self, node_id: _Optional[str] = ..., suspended_height: _Optional[int] = ..., held_height: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class CarryAttestations(_message.Message):
    __slots__ = ("height", "round", "attestations")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    ATTESTATIONS_FIELD_NUMBER: _ClassVar[int]
    height: int
    round: int
    attestations: _containers.RepeatedCompositeFieldContainer[LateAttestation]
    def __init__(self, height: _Optional[int] = ..., round: _Optional[int] = ..., attestations: _Optional[_Iterable[_Union[LateAttestation, _Mapping]]] = ...) -> None: ...

class LateAttestation(_message.Message):
    __slots__ = ("node_id", "audit", "signature", "mismatch")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    MISMATCH_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    audit: bytes
    signature: bytes
    mismatch: Mismatch
    def __init__(self, node_id: _Optional[str] = ..., audit: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., mismatch: _Optional[_Union[Mismatch, _Mapping]] = ...) -> None: ...

class Mismatch(_message.Message):
    __slots__ = ("hash2", "tree_size")
    HASH2_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    hash2: bytes
    tree_size: int
    def __init__(self, hash2: _Optional[bytes] = ..., tree_size: _Optional[int] = ...) -> None: ...

class FailAudit(_message.Message):
    __slots__ = ("node_id", "height", "findings")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    height: int
    findings: _containers.RepeatedCompositeFieldContainer[_block_pb2.ManagerSignature]
    def __init__(self, node_id: _Optional[str] = ..., height: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[_block_pb2.ManagerSignature, _Mapping]]] = ...) -> None: ...

class RecordPayout(_message.Message):
    __slots__ = ("node_id", "amount", "paid_before", "reference", "operator_id", "signature")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAID_BEFORE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    amount: int
    paid_before: int
    reference: str
    operator_id: str
    signature: bytes
    def __init__(self, node_id: _Optional[str] = ..., amount: _Optional[int] = ..., paid_before: _Optional[int] = ..., reference: _Optional[str] = ..., operator_id: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class RegisterParticipant(_message.Message):
    __slots__ = ("participant_id", "signing_key", "tls_spki_sha256", "agent_ids", "consent")
    PARTICIPANT_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_FIELD_NUMBER: _ClassVar[int]
    TLS_SPKI_SHA256_FIELD_NUMBER: _ClassVar[int]
    AGENT_IDS_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    participant_id: str
    signing_key: bytes
    tls_spki_sha256: bytes
    agent_ids: _containers.RepeatedScalarFieldContainer[str]
    consent: Consent
    def __init__(self, participant_id: _Optional[str] = ..., signing_key: _Optional[bytes] = ..., tls_spki_sha256: _Optional[bytes] = ..., agent_ids: _Optional[_Iterable[str]] = ..., consent: _Optional[_Union[Consent, _Mapping]] = ...) -> None: ...

class RegisterMeter(_message.Message):
    __slots__ = ("meter_id", "owner_id", "rated_power_w", "interval_s")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    RATED_POWER_W_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    owner_id: str
    rated_power_w: int
    interval_s: int
    def __init__(self, meter_id: _Optional[str] = ..., owner_id: _Optional[str] = ..., rated_power_w: _Optional[int] = ..., interval_s: _Optional[int] = ...) -> None: ...

class RegisterOfficer(_message.Message):
    __slots__ = ("officer_id", "role", "signing_key", "tls_spki_sha256", "manager_id")
    OFFICER_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_FIELD_NUMBER: _ClassVar[int]
    TLS_SPKI_SHA256_FIELD_NUMBER: _ClassVar[int]
    MANAGER_ID_FIELD_NUMBER: _ClassVar[int]
    officer_id: str
    role: OfficerRole
    signing_key: bytes
    tls_spki_sha256: bytes
    manager_id: str
    def __init__(self, officer_id: _Optional[str] = ..., role: _Optional[_Union[OfficerRole, str]] = ..., signing_key: _Optional[bytes] = ..., tls_spki_sha256: _Optional[bytes] = ..., manager_id: _Optional[str] = ...) -> None: ...
