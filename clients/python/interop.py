"""Does what test/interop asks for, one JSON object a line: requests on the standard input, answers
on the standard output. The programs of the other languages do the same.

Usage: interop.py PROFILE
"""

from __future__ import annotations

import base64
import json
import platform
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from typing import Any

from bss_client import (
    BssError,
    Client,
    Profile,
    ProfileValue,
    Quality,
    load_profile,
    meter_reading,
    or_raise,
    read_profile,
    verify,
)
from bss_client.bssv1 import record_pb2

Answer = dict[str, Any]

HOUR = timedelta(hours=1)


def main() -> None:
    profile = read_profile(sys.argv[1])
    with Client(profile) as client:
        for line in sys.stdin:
            try:
                say(answer_to(profile, client, json.loads(line)))
            except BssError as error:
                say({"error": str(error), "reason": error.reason})
            except Exception as error:
                say({"error": f"{type(error).__name__}: {error}"})


def say(answer: Answer) -> None:
    print(json.dumps(answer), flush=True)


def answer_to(profile: Profile, client: Client, asked: Answer) -> Answer:
    what = asked["do"]
    if what == "versions":
        packages = {"grpc": version("grpcio"), "protobuf": version("protobuf")}
        return {"versions": {"python": platform.python_version(), **packages}}
    if what == "submit":
        return submit(profile, client, asked["meter"], at(asked["startS"]))
    if what == "stream":
        return stream(profile, client, asked)
    if what == "receipt":
        read = client.get_receipt(bytes.fromhex(asked["hash"]))
        encoded = read.receipt.SerializeToString()
        return {"receipt": base64.b64encode(encoded).decode(), "facts": said(read.facts)}
    if what == "verify":
        try:
            receipt = verify.receipt_from_binary(base64.b64decode(asked["receipt"]))
            return {"facts": said(verify.verify_receipt(receipt, profile.genesis))}
        except verify.Problem as problem:
            return {"refused": problem.step.value}
    if what == "watch":
        for block in client.watch_blocks(asked["from"]):
            say({"block": block.height, "id": block.id.hex()})
            if block.height >= asked["to"]:
                break
        return {"watched": True}
    if what == "statement":
        statement = client.get_statement(asked["node"])
        node = statement.node
        standing = {"credit": node.credit, "reward": str(node.reward)} if node else {}
        return {"height": statement.height, "changes": len(statement.changes), **standing}
    raise ValueError(f"unknown request {what}")


def at(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, timezone.utc)


def reading(profile: Profile, meter: str, start: datetime, imported_wh: int) -> bytes:
    return meter_reading(
        owner_id=profile.id, meter_id=meter, start=start, interval=HOUR, imported_wh=imported_wh
    )


def submit(profile: Profile, client: Client, meter: str, start: datetime) -> Answer:
    """Submits a reading and a load profile, and once more the same bytes."""
    load = load_profile(
        owner_id=profile.id,
        meter_id=meter,
        start=start + HOUR,
        interval=HOUR,
        values=[ProfileValue(300), None, ProfileValue(0, 1250, Quality.ESTIMATED)],
    )
    submission = client.sign(reading(profile, meter, start, 412), load)
    first, again = client.submit(submission), client.submit(submission)
    for outcome, repeated in zip(or_raise(first).outcomes, again.outcomes, strict=True):
        if outcome.committed != repeated.committed:
            raise ValueError("the same bytes got another place")
    return {"hashes": [outcome.record_hash.hex() for outcome in first.outcomes]}


def stream(profile: Profile, client: Client, asked: Answer) -> Answer:
    """Submits readings, one in each submission."""

    def source() -> Iterator[record_pb2.Submission]:
        for i in range(asked["count"]):
            start = at(asked["startS"]) + i * HOUR
            yield client.sign(reading(profile, asked["meter"], start, i))

    hashes = [""] * asked["count"]
    for outcome in client.submit_stream(source(), in_flight_max=8):
        if outcome.response is None:
            raise outcome.refusal or ValueError("neither answered nor refused")
        hashes[outcome.index] = outcome.response.outcomes[0].record_hash.hex()
    return {"hashes": hashes}


def said(facts: verify.ReceiptFacts) -> Answer:
    return {
        "recordHash": facts.record_hash.hex(),
        "height": facts.height,
        "blockId": facts.block_id.hex(),
        "timeMs": round(facts.time.timestamp() * 1000),
        "position": facts.position,
        "treeSize": facts.tree_size,
        "previousTreeSize": facts.previous_tree_size,
        "signers": facts.signers,
    }


if __name__ == "__main__":
    main()
