"""Making records.

A record is its exact bytes: they are hashed, sealed and kept, so whoever makes one keeps the bytes
and sends the same ones again after a failure. Every call that leaves the salt out draws another
one, and so makes another record: make it once and keep the bytes.

Count intervals in UTC. Python adds to a `datetime` with a ZoneInfo by the wall clock, so
`start + i * interval` leaves a gap on the day when clocks change:
`start.astimezone(timezone.utc) + i * interval` does not.

Every function takes `owner_id`, the participant that owns the record (of a trade, the seller), and
may take

- `parent`: the hash of the version that this record updates,
- `salt`: 16 bytes that nobody can guess,
- `time`: when the recorded fact was complete. When left out it is the end of what is recorded, and
  of trades and documents the time of the call.

Nothing is checked here that the ledger's rules check: a wrong record comes back with its reason.
A ValueError is raised for what a record cannot hold, such as half a second or a negative energy.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import IntEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import Message

from bss_client.bssv1 import record_pb2
from bss_client.verify import record_hash, submission_digest, trade_digest

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_RANDOM_BYTES = 16


def meter_reading(
    *,
    owner_id: str,
    meter_id: str,
    start: datetime,
    interval: timedelta,
    imported_wh: int = 0,
    exported_wh: int = 0,
    parent: bytes | None = None,
    salt: bytes | None = None,
    time: datetime | None = None,
) -> bytes:
    """Energy that a registered meter measured in one interval.

    `start` is the policy's delivery offset after a multiple of `interval`, the meter's registered
    one. Count starts in UTC, `start.astimezone(timezone.utc) + i * interval`: with a ZoneInfo
    Python adds by the wall clock, and the day when clocks change gets a gap.
    """
    reading = record_pb2.MeterReading(
        meter_id=meter_id,
        interval_start_unix_s=unix_s(start),
        interval_s=_seconds(interval),
        imported_wh=imported_wh,
        exported_wh=exported_wh,
    )
    record = record_pb2.Record(meter_reading=reading)
    return _record(record, owner_id, parent, salt, time or start + interval)


class Quality(IntEnum):
    """Where a value of a load profile comes from."""

    ABSENT = record_pb2.VALUE_QUALITY_ABSENT
    """There is no value for the interval, which stays free."""
    MEASURED = record_pb2.VALUE_QUALITY_MEASURED
    ESTIMATED = record_pb2.VALUE_QUALITY_ESTIMATED
    """Made in place of a measurement that may still come."""
    SUBSTITUTED = record_pb2.VALUE_QUALITY_SUBSTITUTED
    """Made in place of a measurement that is missing or wrong."""


@dataclass(frozen=True)
class ProfileValue:
    """One interval of a load profile."""

    imported_wh: int = 0
    exported_wh: int = 0
    quality: Quality = Quality.MEASURED


@dataclass(frozen=True)
class Register:
    """What a meter's counters showed at one moment, Wh."""

    imported_wh: int = 0
    exported_wh: int = 0


def load_profile(
    *,
    owner_id: str,
    meter_id: str,
    start: datetime,
    interval: timedelta,
    values: Iterable[ProfileValue | None],
    register_start: Register | None = None,
    register_end: Register | None = None,
    parent: bytes | None = None,
    salt: bytes | None = None,
    time: datetime | None = None,
) -> bytes:
    """Energy that a registered meter measured in consecutive intervals, up to 31 days.

    `values` has one for each interval, in order; None is an absent one. `start` is the policy's
    delivery offset after a multiple of `interval`, the meter's registered one. The registers are
    the meter's counters at both ends.
    """
    profile = record_pb2.LoadProfile(
        meter_id=meter_id,
        start_unix_s=unix_s(start),
        interval_s=_seconds(interval),
        register_start=_register(register_start),
        register_end=_register(register_end),
    )
    count = 0
    imported, exported = [], []
    for value in values:
        if value is not None and not isinstance(value, ProfileValue):
            raise TypeError(f"a value is a ProfileValue or None, not {value!r}")
        count += 1
        quality = Quality.ABSENT if value is None else value.quality
        if profile.runs and int(profile.runs[-1].quality) == quality:
            profile.runs[-1].count += 1
        else:
            run = record_pb2.ProfileRun(count=1, quality=record_pb2.ValueQuality.Name(quality))
            profile.runs.append(run)
        if value is not None and quality is not Quality.ABSENT:
            imported.append(value.imported_wh)
            exported.append(value.exported_wh)
    # A list of nothing but 0 is left out.
    if any(imported):
        profile.imported_wh.extend(imported)
    if any(exported):
        profile.exported_wh.extend(exported)
    record = record_pb2.Record(load_profile=profile)
    return _record(record, owner_id, parent, salt, time or start + count * interval)


def _register(register: Register | None) -> record_pb2.RegisterReading | None:
    if register is None:
        return None
    return record_pb2.RegisterReading(
        imported_wh=register.imported_wh, exported_wh=register.exported_wh
    )


def trade_terms(
    *,
    seller_id: str,
    buyer_id: str,
    delivery_start: datetime,
    energy_wh: int,
    price_micro_per_kwh: int,
    trade_id: bytes | None = None,
) -> bytes:
    """The exact bytes that seller and buyer sign.

    `delivery_start` is the policy's delivery offset after a multiple of its delivery interval, the
    price is in millionths of the market's currency, and `trade_id` is 16 bytes that name this
    trade, drawn when left out.
    """
    terms = record_pb2.TradeTerms(
        trade_id=_drawn(trade_id),
        seller_id=seller_id,
        buyer_id=buyer_id,
        delivery_start_unix_s=unix_s(delivery_start),
        energy_wh=energy_wh,
        price_micro_per_kwh=price_micro_per_kwh,
    )
    return _encoded(terms)


def sign_trade(consortium_id: bytes, terms: bytes, key: Ed25519PrivateKey) -> bytes:
    """One party's signature under the exact bytes of a trade's terms."""
    return key.sign(trade_digest(consortium_id, terms))


def energy_trade(
    *,
    owner_id: str,
    terms: bytes,
    seller_signature: bytes,
    buyer_signature: bytes,
    parent: bytes | None = None,
    salt: bytes | None = None,
    time: datetime | None = None,
) -> bytes:
    """A sale that both parties have signed, with the exact bytes of its terms."""
    trade = record_pb2.EnergyTrade(
        terms=terms, seller_signature=seller_signature, buyer_signature=buyer_signature
    )
    return _record(record_pb2.Record(energy_trade=trade), owner_id, parent, salt, time or _now())


def charging_session(
    *,
    owner_id: str,
    station_id: str,
    start: datetime,
    end: datetime,
    energy_wh: int,
    parent: bytes | None = None,
    salt: bytes | None = None,
    time: datetime | None = None,
) -> bytes:
    """One charging session of an electric vehicle."""
    session = record_pb2.ChargingSession(
        station_id=station_id,
        start_unix_s=unix_s(start),
        end_unix_s=unix_s(end),
        energy_wh=energy_wh,
    )
    return _record(record_pb2.Record(charging_session=session), owner_id, parent, salt, time or end)


def document(
    *,
    owner_id: str,
    content: bytes,
    media_type: str,
    name: str = "",
    parent: bytes | None = None,
    salt: bytes | None = None,
    time: datetime | None = None,
) -> bytes:
    """Any bytes up to the policy's length of a record.

    The media type is IANA's, such as "application/pdf"; the name is for people.
    """
    made = record_pb2.Document(media_type=media_type, name=name, content=content)
    return _record(record_pb2.Record(document=made), owner_id, parent, salt, time or _now())


def new_submission(
    consortium_id: bytes, participant_id: str, key: Ed25519PrivateKey, records: Sequence[bytes]
) -> record_pb2.Submission:
    """Signs the exact bytes of 1 to policy.submission_records_max records in a participant's name:
    the records' owner, or an agent of each owner."""
    for record in records:
        if not isinstance(record, bytes):
            what = f"a record is its bytes, not {type(record).__name__}"
            raise TypeError(f"{what}: sign(one, another), or sign(*records) for a list")
    header = _encoded(
        record_pb2.SubmissionHeader(
            consortium_id=consortium_id,
            participant_id=participant_id,
            record_hashes=[record_hash(consortium_id, record) for record in records],
        )
    )
    signature = key.sign(submission_digest(header))
    return record_pb2.Submission(header=header, signature=signature, records=records)


def unix_ms(at: datetime) -> int:
    return (_aware(at) - _EPOCH) // timedelta(milliseconds=1)


def _record(
    record: record_pb2.Record,
    owner_id: str,
    parent: bytes | None,
    salt: bytes | None,
    time: datetime,
) -> bytes:
    record.owner_id = owner_id
    record.salt = _drawn(salt)
    record.time_unix_ms = unix_ms(time)
    record.parent = parent or b""
    return _encoded(record)


def _encoded(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _drawn(given: bytes | None) -> bytes:
    return secrets.token_bytes(_RANDOM_BYTES) if given is None else given


def _now() -> datetime:
    return datetime.now(timezone.utc)


def unix_s(at: datetime) -> int:
    seconds, rest = divmod(_aware(at) - _EPOCH, timedelta(seconds=1))
    if rest:
        raise ValueError(f"starts and ends are whole seconds, not {at}")
    return seconds


def _seconds(interval: timedelta) -> int:
    if not isinstance(interval, timedelta):
        raise TypeError(f"an interval is a timedelta, not {interval!r}")
    seconds, rest = divmod(interval, timedelta(seconds=1))
    if rest:
        raise ValueError(f"an interval is a number of whole seconds, not {interval}")
    return seconds


def _aware(at: datetime) -> datetime:
    if not isinstance(at, datetime):
        raise TypeError(f"a time is a datetime with a time zone, not {at!r}")
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone: give it one, for instance timezone.utc")
    return at
