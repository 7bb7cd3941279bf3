from bss_client.bssv1 import genesis_pb2 as _genesis_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RegisterStorageNodeRequest(_message.Message):
    __slots__ = ("consent", "certificate_request", "signing_key", "node_id")
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    consent: _genesis_pb2.Consent
    certificate_request: bytes
    signing_key: bytes
    node_id: str
    def __init__(self, consent: _Optional[_Union[_genesis_pb2.Consent, _Mapping]] = ..., certificate_request: _Optional[bytes] = ..., signing_key: _Optional[bytes] = ..., node_id: _Optional[str] = ...) -> None: ...

class RegisterStorageNodeResponse(_message.Message):
    __slots__ = ("certificate_chain", "admitted_height")
    CERTIFICATE_CHAIN_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    certificate_chain: _containers.RepeatedScalarFieldContainer[bytes]
    admitted_height: int
    def __init__(self, certificate_chain: _Optional[_Iterable[bytes]] = ..., admitted_height: _Optional[int] = ...) -> None: ...

class RegisterParticipantRequest(_message.Message):
    __slots__ = ("consent", "certificate_request", "signing_key", "participant_id")
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_ID_FIELD_NUMBER: _ClassVar[int]
    consent: _genesis_pb2.Consent
    certificate_request: bytes
    signing_key: bytes
    participant_id: str
    def __init__(self, consent: _Optional[_Union[_genesis_pb2.Consent, _Mapping]] = ..., certificate_request: _Optional[bytes] = ..., signing_key: _Optional[bytes] = ..., participant_id: _Optional[str] = ...) -> None: ...

class RegisterParticipantResponse(_message.Message):
    __slots__ = ("certificate_chain", "admitted_height")
    CERTIFICATE_CHAIN_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    certificate_chain: _containers.RepeatedScalarFieldContainer[bytes]
    admitted_height: int
    def __init__(self, certificate_chain: _Optional[_Iterable[bytes]] = ..., admitted_height: _Optional[int] = ...) -> None: ...

class RenewCertificateRequest(_message.Message):
    __slots__ = ("certificate_request",)
    CERTIFICATE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    certificate_request: bytes
    def __init__(self, certificate_request: _Optional[bytes] = ...) -> None: ...

class RenewCertificateResponse(_message.Message):
    __slots__ = ("certificate_chain",)
    CERTIFICATE_CHAIN_FIELD_NUMBER: _ClassVar[int]
    certificate_chain: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, certificate_chain: _Optional[_Iterable[bytes]] = ...) -> None: ...

class RetireStorageNodeRequest(_message.Message):
    __slots__ = ("retirement",)
    RETIREMENT_FIELD_NUMBER: _ClassVar[int]
    retirement: _genesis_pb2.RetireStorageNode
    def __init__(self, retirement: _Optional[_Union[_genesis_pb2.RetireStorageNode, _Mapping]] = ...) -> None: ...

class RetireStorageNodeResponse(_message.Message):
    __slots__ = ("height",)
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    height: int
    def __init__(self, height: _Optional[int] = ...) -> None: ...

class RecordPayoutRequest(_message.Message):
    __slots__ = ("payout",)
    PAYOUT_FIELD_NUMBER: _ClassVar[int]
    payout: _genesis_pb2.RecordPayout
    def __init__(self, payout: _Optional[_Union[_genesis_pb2.RecordPayout, _Mapping]] = ...) -> None: ...

class RecordPayoutResponse(_message.Message):
    __slots__ = ("height",)
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    height: int
    def __init__(self, height: _Optional[int] = ...) -> None: ...
