"""The vectors of test/vectors that concern clients, besides the corpus of forged ones."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from corpus import VECTORS
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bss_client import energy_trade, meter_reading, new_submission, sign_trade, trade_terms
from bss_client.verify import record_hash, submission_digest, trade_digest
from bss_client.verify.committee import draw_committee
from bss_client.verify.merkle import Frontier, entry_hash
from bss_client.verify.signature import verify_signature

if not VECTORS.exists():
    pytest.skip("the vectors are only in the whole repository", allow_module_level=True)


def read(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


def at(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, timezone.utc)


def test_a_submission_has_the_bytes_of_the_example() -> None:
    example = read("submission.json")
    consortium_id = bytes.fromhex(example["consortiumId"])
    seller, buyer = (
        Ed25519PrivateKey.from_private_bytes(bytes.fromhex(party["seed"]))
        for party in example["parties"]
    )
    for party, key in zip(example["parties"], (seller, buyer), strict=True):
        assert key.public_key().public_bytes_raw().hex() == party["publicKey"]

    fields = example["reading"]["fields"]
    reading = meter_reading(
        owner_id=fields["ownerId"],
        meter_id=fields["meterId"],
        start=at(fields["intervalStartUnixS"]),
        interval=timedelta(seconds=fields["intervalS"]),
        imported_wh=fields["importedWh"],
        exported_wh=fields["exportedWh"],
        salt=bytes.fromhex(fields["salt"]),
    )
    assert reading.hex() == example["reading"]["bytes"]
    assert record_hash(consortium_id, reading).hex() == example["reading"]["hash"]

    fields = example["terms"]["fields"]
    terms = trade_terms(
        trade_id=bytes.fromhex(fields["tradeId"]),
        seller_id=fields["sellerId"],
        buyer_id=fields["buyerId"],
        delivery_start=at(fields["deliveryStartUnixS"]),
        energy_wh=fields["energyWh"],
        price_micro_per_kwh=fields["priceMicroPerKwh"],
    )
    assert terms.hex() == example["terms"]["bytes"]
    assert trade_digest(consortium_id, terms).hex() == example["terms"]["digest"]
    signatures = [sign_trade(consortium_id, terms, key) for key in (seller, buyer)]
    assert signatures[0].hex() == example["terms"]["sellerSignature"]
    assert signatures[1].hex() == example["terms"]["buyerSignature"]

    fields = example["trade"]["fields"]
    trade = energy_trade(
        owner_id=fields["ownerId"],
        terms=terms,
        seller_signature=signatures[0],
        buyer_signature=signatures[1],
        salt=bytes.fromhex(fields["salt"]),
        time=at(fields["timeUnixMs"] / 1000),
    )
    assert trade.hex() == example["trade"]["bytes"]
    assert record_hash(consortium_id, trade).hex() == example["trade"]["hash"]

    expected = example["submission"]
    submission = new_submission(consortium_id, expected["participantId"], seller, [reading, trade])
    assert submission.header.hex() == expected["header"]
    assert submission_digest(submission.header).hex() == expected["digest"]
    assert submission.signature.hex() == expected["signature"]
    assert list(submission.records) == [reading, trade]


@pytest.mark.parametrize("case", read("committee.json")["cases"], ids=lambda case: case["note"])
def test_committees(case: Any) -> None:
    drawn = draw_committee(sorted(case["eligible"]), bytes.fromhex(case["beacon"]), case["round"])
    assert drawn == case["committee"]


def test_roots_of_rfc_6962() -> None:
    vectors = read("merkle/rfc6962.json")
    tree = Frontier()
    roots = []
    for text in vectors["leafInputs"]:
        roots.append(tree.root().hex())
        tree = tree.append([entry_hash(bytes.fromhex(text))])
    roots.append(tree.root().hex())
    assert roots == vectors["roots"]


@pytest.mark.parametrize(
    "vector", read("crypto/rfc8032-ed25519.json")["vectors"], ids=lambda vector: vector["name"]
)
def test_signatures_of_rfc_8032(vector: Any) -> None:
    key, message, signature = (
        bytes.fromhex(vector[name]) for name in ("publicKey", "message", "signature")
    )
    assert verify_signature(key, message, signature)
    assert not verify_signature(key, message + b"x", signature)
    s_plus_order = (
        int.from_bytes(signature[32:], "little") + 2**252 + (27742317777372353535851937790883648493)
    )
    malleable = signature[:32] + s_plus_order.to_bytes(32, "little")
    assert not verify_signature(key, message, malleable)


def test_points_of_small_order_are_refused_though_openssl_takes_them() -> None:
    # With this key, R and S, the equation holds for every message.
    neutral = b"\x01" + bytes(31)
    signature = neutral + bytes(32)
    Ed25519PublicKey.from_public_bytes(neutral).verify(signature, b"any message")
    assert not verify_signature(neutral, b"any message", signature)
