"""Recomputes test/vectors/submission.json with other libraries than bss-node's.

    python check_vectors.py ../../test/vectors/submission.json

The protobuf bytes are compared as well, though nothing asks for that: a record may order its fields
as it likes. See docs/integrators.md.
"""

import hashlib
import json
import sys

import bss_stubs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

record_pb2 = bss_stubs.load("bss.v1.record_pb2")


def tagged(tag: str, *parts: bytes) -> bytes:
    return hashlib.sha256(tag.encode() + b"".join(parts)).digest()


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        vector = json.load(file)
    consortium_id = bytes.fromhex(vector["consortiumId"])
    seller, buyer = (
        Ed25519PrivateKey.from_private_bytes(bytes.fromhex(party["seed"]))
        for party in vector["parties"]
    )
    for party, key in zip(vector["parties"], (seller, buyer)):
        same("public key of " + party["id"], key.public_key().public_bytes_raw(), party["publicKey"])

    reading = reading_bytes(vector["reading"]["fields"])
    same("reading", reading, vector["reading"]["bytes"])
    reading_hash = tagged("bss/v1/record", consortium_id, reading)
    same("hash of the reading", reading_hash, vector["reading"]["hash"])

    profile = profile_bytes(vector["profile"]["fields"])
    same("profile", profile, vector["profile"]["bytes"])
    profile_hash = tagged("bss/v1/record", consortium_id, profile)
    same("hash of the profile", profile_hash, vector["profile"]["hash"])

    expected = vector["terms"]
    terms = terms_bytes(expected["fields"])
    same("terms", terms, expected["bytes"])
    digest = tagged("bss/v1/trade", consortium_id, terms)
    same("digest of the terms", digest, expected["digest"])
    same("seller's signature", seller.sign(digest), expected["sellerSignature"])
    same("buyer's signature", buyer.sign(digest), expected["buyerSignature"])

    fields = vector["trade"]["fields"]
    trade = record_pb2.Record(
        owner_id=fields["ownerId"],
        salt=bytes.fromhex(fields["salt"]),
        time_unix_ms=fields["timeUnixMs"],
        energy_trade=record_pb2.EnergyTrade(
            terms=terms, seller_signature=seller.sign(digest), buyer_signature=buyer.sign(digest)
        ),
    ).SerializeToString(deterministic=True)
    same("trade", trade, vector["trade"]["bytes"])
    trade_hash = tagged("bss/v1/record", consortium_id, trade)
    same("hash of the trade", trade_hash, vector["trade"]["hash"])

    expected = vector["submission"]
    header = record_pb2.SubmissionHeader(
        consortium_id=consortium_id,
        participant_id=expected["participantId"],
        record_hashes=[reading_hash, trade_hash],
    ).SerializeToString(deterministic=True)
    same("header", header, expected["header"])
    digest = tagged("bss/v1/submission", header)
    same("digest of the header", digest, expected["digest"])
    same("signature", seller.sign(digest), expected["signature"])
    submission_id = hashlib.sha256(header + seller.sign(digest)).digest()
    same("submission id", submission_id, expected["id"])
    print("all values agree")


def reading_bytes(fields: dict) -> bytes:
    return record_pb2.Record(
        owner_id=fields["ownerId"],
        salt=bytes.fromhex(fields["salt"]),
        time_unix_ms=fields["timeUnixMs"],
        meter_reading=record_pb2.MeterReading(
            meter_id=fields["meterId"],
            interval_start_unix_s=fields["intervalStartUnixS"],
            interval_s=fields["intervalS"],
            imported_wh=fields["importedWh"],
            exported_wh=fields["exportedWh"],
        ),
    ).SerializeToString(deterministic=True)


def profile_bytes(fields: dict) -> bytes:
    return record_pb2.Record(
        owner_id=fields["ownerId"],
        salt=bytes.fromhex(fields["salt"]),
        time_unix_ms=fields["timeUnixMs"],
        load_profile=record_pb2.LoadProfile(
            meter_id=fields["meterId"],
            start_unix_s=fields["startUnixS"],
            interval_s=fields["intervalS"],
            runs=[
                record_pb2.ProfileRun(
                    count=run["count"],
                    quality="VALUE_QUALITY_" + run["quality"].upper(),
                )
                for run in fields["runs"]
            ],
            imported_wh=fields["importedWh"],
            exported_wh=fields["exportedWh"],
            register_start=record_pb2.RegisterReading(
                imported_wh=fields["registerStart"]["importedWh"],
                exported_wh=fields["registerStart"]["exportedWh"],
            ),
        ),
    ).SerializeToString(deterministic=True)


def terms_bytes(fields: dict) -> bytes:
    return record_pb2.TradeTerms(
        trade_id=bytes.fromhex(fields["tradeId"]),
        seller_id=fields["sellerId"],
        buyer_id=fields["buyerId"],
        delivery_start_unix_s=fields["deliveryStartUnixS"],
        energy_wh=fields["energyWh"],
        price_micro_per_kwh=fields["priceMicroPerKwh"],
    ).SerializeToString(deterministic=True)


def same(name: str, actual: bytes, expected: str) -> None:
    if actual.hex() != expected:
        sys.exit(f"{name}: computed {actual.hex()}, the file has {expected}")
    print(f"{name}: agrees")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "test/vectors/submission.json")
