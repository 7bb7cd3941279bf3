"""Runs against a consortium if BSS_PROFILE names a participant's profile.yaml, BSS_METER its meter
of one hour, and BSS_START (ISO 8601) an hour that has no reading yet."""

import os
from datetime import datetime, timedelta

import pytest

from bss_client import (
    Client,
    TreeHead,
    meter_reading,
    or_raise,
    read_profile,
    verify,
)

FILE = os.environ.get("BSS_PROFILE", "")


@pytest.mark.skipif(FILE == "", reason="BSS_PROFILE names no profile")
def test_a_running_consortium() -> None:
    profile = read_profile(FILE)
    start = datetime.fromisoformat(os.environ["BSS_START"].replace("Z", "+00:00"))
    record = meter_reading(
        owner_id=profile.id,
        meter_id=os.environ["BSS_METER"],
        start=start,
        interval=timedelta(hours=1),
        imported_wh=1,
    )
    with Client(profile) as client:
        answer = client.submit(client.sign(record))
        or_raise(answer)
        hash = client.record_hash(record)
        receipt = client.get_receipt(hash).receipt
        facts = verify.verify_receipt(receipt, client.genesis, record)
        read = client.get_record(hash)
        assert (read.encoded, read.position) == (record, facts.position)
        assert [version.hash for version in client.get_record_history(hash)] == [hash]
        end = start + timedelta(hours=2)
        listed = client.list_records(participant_id=profile.id, start=start, end=end)
        assert hash in [each.hash for each in listed]
        assert client.get_block(facts.height).id == facts.block_id
        client.get_consistency_proof(TreeHead(facts.tree_size, facts.root))
        assert len(client.get_consortium().managers) == len(client.genesis.managers)
        for node in client.list_storage_nodes():
            assert client.get_statement(node.node_id).node is not None
