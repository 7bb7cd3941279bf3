from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ValueQuality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VALUE_QUALITY_UNSPECIFIED: _ClassVar[ValueQuality]
    VALUE_QUALITY_ABSENT: _ClassVar[ValueQuality]
    VALUE_QUALITY_MEASURED: _ClassVar[ValueQuality]
    VALUE_QUALITY_ESTIMATED: _ClassVar[ValueQuality]
    VALUE_QUALITY_SUBSTITUTED: _ClassVar[ValueQuality]
VALUE_QUALITY_UNSPECIFIED: ValueQuality
VALUE_QUALITY_ABSENT: ValueQuality
VALUE_QUALITY_MEASURED: ValueQuality
VALUE_QUALITY_ESTIMATED: ValueQuality
VALUE_QUALITY_SUBSTITUTED: ValueQuality

class Record(_message.Message):
    __slots__ = ("owner_id", "salt", "time_unix_ms", "parent", "meter_reading", "energy_trade", "charging_session", "document", "load_profile")
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    METER_READING_FIELD_NUMBER: _ClassVar[int]
    ENERGY_TRADE_FIELD_NUMBER: _ClassVar[int]
    CHARGING_SESSION_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    LOAD_PROFILE_FIELD_NUMBER: _ClassVar[int]
    owner_id: str
    salt: bytes
    time_unix_ms: int
    parent: bytes
    meter_reading: MeterReading
    energy_trade: EnergyTrade
    charging_session: ChargingSession
    document: Document
    load_profile: LoadProfile
    def __init__(self, owner_id: _Optional[str] = ..., salt: _Optional[bytes] = ..., time_unix_ms: _Optional[int] = ..., parent: _Optional[bytes] = ..., meter_reading: _Optional[_Union[MeterReading, _Mapping]] = ..., energy_trade: _Optional[_Union[EnergyTrade, _Mapping]] = ..., charging_session: _Optional[_Union[ChargingSession, _Mapping]] = ..., document: _Optional[_Union[Document, _Mapping]] = ..., load_profile: _Optional[_Union[LoadProfile, _Mapping]] = ...) -> None: ...

class MeterReading(_message.Message):
    __slots__ = ("meter_id", "interval_start_unix_s", "interval_s", "imported_wh", "exported_wh")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_START_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    IMPORTED_WH_FIELD_NUMBER: _ClassVar[int]
    EXPORTED_WH_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    interval_start_unix_s: int
    interval_s: int
    imported_wh: int
    exported_wh: int
    def __init__(self, meter_id: _Optional[str] = ..., interval_start_unix_s: _Optional[int] = ..., interval_s: _Optional[int] = ..., imported_wh: _Optional[int] = ..., exported_wh: _Optional[int] = ...) -> None: ...

class LoadProfile(_message.Message):
    __slots__ = ("meter_id", "start_unix_s", "interval_s", "runs", "imported_wh", "exported_wh", "register_start", "register_end")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    START_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    IMPORTED_WH_FIELD_NUMBER: _ClassVar[int]
    EXPORTED_WH_FIELD_NUMBER: _ClassVar[int]
    REGISTER_START_FIELD_NUMBER: _ClassVar[int]
    REGISTER_END_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    start_unix_s: int
    interval_s: int
    runs: _containers.RepeatedCompositeFieldContainer[ProfileRun]
    imported_wh: _containers.RepeatedScalarFieldContainer[int]
    exported_wh: _containers.RepeatedScalarFieldContainer[int]
    register_start: RegisterReading
    register_end: RegisterReading
    def __init__(self, meter_id: _Optional[str] = ..., start_unix_s: _Optional[int] = ..., interval_s: _Optional[int] = ..., runs: _Optional[_Iterable[_Union[ProfileRun, _Mapping]]] = ..., imported_wh: _Optional[_Iterable[int]] = ..., exported_wh: _Optional[_Iterable[int]] = ..., register_start: _Optional[_Union[RegisterReading, _Mapping]] = ..., register_end: _Optional[_Union[RegisterReading, _Mapping]] = ...) -> None: ...

class ProfileRun(_message.Message):
    __slots__ = ("count", "quality")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    count: int
    quality: ValueQuality
    def __init__(self, count: _Optional[int] = ..., quality: _Optional[_Union[ValueQuality, str]] = ...) -> None: ...

class RegisterReading(_message.Message):
    __slots__ = ("imported_wh", "exported_wh")
    IMPORTED_WH_FIELD_NUMBER: _ClassVar[int]
    EXPORTED_WH_FIELD_NUMBER: _ClassVar[int]
    imported_wh: int
    exported_wh: int
    def __init__(self, imported_wh: _Optional[int] = ..., exported_wh: _Optional[int] = ...) -> None: ...

class EnergyTrade(_message.Message):
    __slots__ = ("terms", "seller_signature", "buyer_signature")
    TERMS_FIELD_NUMBER: _ClassVar[int]
    SELLER_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    BUYER_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    terms: bytes
    seller_signature: bytes
    buyer_signature: bytes
    def __init__(self, terms: _Optional[bytes] = ..., seller_signature: _Optional[bytes] = ..., buyer_signature: _Optional[bytes] = ...) -> None: ...

class TradeTerms(_message.Message):
    __slots__ = ("trade_id", "seller_id", "buyer_id", "delivery_start_unix_s", "energy_wh", "price_micro_per_kwh")
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    BUYER_ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_START_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    ENERGY_WH_FIELD_NUMBER: _ClassVar[int]
    PRICE_MICRO_PER_KWH_FIELD_NUMBER: _ClassVar[int]
    trade_id: bytes
    seller_id: str
    buyer_id: str
    delivery_start_unix_s: int
    energy_wh: int
    price_micro_per_kwh: int
    def __init__(self, trade_id: _Optional[bytes] = ..., seller_id: _Optional[str] = ..., buyer_id: _Optional[str] = ..., delivery_start_unix_s: _Optional[int] = ..., energy_wh: _Optional[int] = ..., price_micro_per_kwh: _Optional[int] = ...) -> None: ...

class ChargingSession(_message.Message):
    __slots__ = ("station_id", "start_unix_s", "end_unix_s", "energy_wh")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    START_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    END_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    ENERGY_WH_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    start_unix_s: int
    end_unix_s: int
    energy_wh: int
    def __init__(self, station_id: _Optional[str] = ..., start_unix_s: _Optional[int] = ..., end_unix_s: _Optional[int] = ..., energy_wh: _Optional[int] = ...) -> None: ...

class Document(_message.Message):
    __slots__ = ("media_type", "name", "content")
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    media_type: str
    name: str
    content: bytes
    def __init__(self, media_type: _Optional[str] = ..., name: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...

class SubmissionHeader(_message.Message):
    __slots__ = ("consortium_id", "participant_id", "record_hashes")
    CONSORTIUM_ID_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_HASHES_FIELD_NUMBER: _ClassVar[int]
    consortium_id: bytes
    participant_id: str
    record_hashes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, consortium_id: _Optional[bytes] = ..., participant_id: _Optional[str] = ..., record_hashes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Submission(_message.Message):
    __slots__ = ("header", "signature", "records")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    signature: bytes
    records: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, header: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., records: _Optional[_Iterable[bytes]] = ...) -> None: ...
