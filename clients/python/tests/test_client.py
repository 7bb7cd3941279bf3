from datetime import datetime, timezone

import grpc
import pytest
from world import STOPPING, Manager, Refusal, World

from bss_client import BssError, TreeHead, UntrueAnswer, document, verify
from bss_client.bssv1 import broadcast_pb2, query_pb2, record_pb2
from bss_client.tls import IDENTITY_REFUSAL

ANSWER = broadcast_pb2.SubmitResponse()


def refusing(refusal: Refusal) -> Manager:
    def refuse(request: broadcast_pb2.SubmitRequest) -> broadcast_pb2.SubmitResponse:
        raise refusal

    return Manager(on_submit=refuse)


def test_submit_goes_on_to_the_next_manager_with_the_same_bytes(world: World) -> None:
    seen: list[record_pb2.Submission] = []

    def stop(request: broadcast_pb2.SubmitRequest) -> broadcast_pb2.SubmitResponse:
        seen.append(request.submission)
        raise STOPPING

    def answer(request: broadcast_pb2.SubmitRequest) -> broadcast_pb2.SubmitResponse:
        seen.append(request.submission)
        return ANSWER

    world.start("manager-1", Manager(on_submit=stop))
    world.start("manager-2", Manager(on_submit=answer))
    client = world.connect()
    submission = client.sign(b"a record")
    client.submit(submission)
    assert seen == [submission, submission]
    assert client.sign(b"a record") == submission


def test_submit_waits_as_long_as_a_refusal_says(world: World) -> None:
    manager = world.start("manager-1", Manager())

    def answer(request: broadcast_pb2.SubmitRequest) -> broadcast_pb2.SubmitResponse:
        if manager.calls < 3:
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "POOL_FULL", retry_after_ms=1)
        return ANSWER

    manager.on_submit = answer
    world.connect().submit(record_pb2.Submission())
    assert manager.calls == 3


def test_a_refusal_has_its_reason_and_is_not_repeated(world: World) -> None:
    code = grpc.StatusCode.FAILED_PRECONDITION
    manager = world.start("manager-1", refusing(Refusal(code, "DOUBLE_SPEND", "records[0]")))
    with pytest.raises(BssError) as refused:
        world.connect().submit(record_pb2.Submission())
    assert (refused.value.reason, refused.value.field) == ("DOUBLE_SPEND", "records[0]")
    assert refused.value.code is code
    assert not refused.value.retryable
    assert manager.calls == 1


def test_the_error_says_what_each_manager_said(world: World) -> None:
    few = Refusal(grpc.StatusCode.UNAVAILABLE, "TOO_FEW_STORAGE_NODES")
    world.start("manager-1", refusing(few))
    world.start("manager-2", refusing(few))
    with pytest.raises(BssError) as failed:
        world.connect().submit(record_pb2.Submission(), timeout=0.5)
    assert failed.value.reason == "TOO_FEW_STORAGE_NODES"
    assert all(address in str(failed.value) for address in world.addresses)


def test_a_manager_that_is_not_there_is_passed_over(world: World) -> None:
    world.addresses.append("127.0.0.1:1")
    world.start("manager-1", Manager(status=query_pb2.GetStatusResponse(height=7)))
    assert world.connect().get_status().height == 7


def test_nobody_is_there(world: World) -> None:
    world.addresses.append("127.0.0.1:1")
    with pytest.raises(BssError) as failed:
        world.connect().get_status(timeout=0.1)
    assert failed.value.reason == "NODE_UNREACHABLE"


@pytest.mark.parametrize(
    "role, id",
    [("manager", "manager-1"), ("storage", "storage-1"), ("participant", "manager-1")],
)
def test_a_server_that_is_not_the_manager_of_genesis_is_refused(
    world: World, role: str, id: str
) -> None:
    # Its certificate is right, and its key another one than that of genesis.
    world.serve(world.certify(role, id), Manager())
    with pytest.raises(BssError, match=IDENTITY_REFUSAL) as failed:
        world.connect().get_status()
    assert failed.value.reason == "NODE_UNREACHABLE"


def test_a_closed_client_says_so(world: World) -> None:
    world.start("manager-1", Manager())
    client = world.connect()
    client.get_status()
    client.close()
    with pytest.raises(BssError) as failed:
        client.get_status()
    assert failed.value.reason == "CANCELLED"


def test_a_record_has_the_hash_that_was_asked_for(world: World) -> None:
    record = document(owner_id="participant-1", content=b"", media_type="text/plain")
    hash = verify.record_hash(world.genesis.consortium_id, record)
    entry = query_pb2.RecordEntry(record_hash=hash, seal_digest=hash, height=1, record=record)
    manager = world.start("manager-1", Manager(record=entry))
    client = world.connect()
    read = client.get_record(hash)
    assert read.encoded == record
    assert read.record is not None
    assert read.record.document.media_type == "text/plain"
    with pytest.raises(UntrueAnswer):
        client.get_record(bytes(32))
    entry.record = record + b"\x00"
    with pytest.raises(UntrueAnswer):
        client.get_record(hash)
    manager.record = query_pb2.RecordEntry(record_hash=hash, seal_digest=hash)
    assert client.get_record(hash).record is None


def test_a_receipt_is_verified(world: World) -> None:
    import corpus

    (item, *_) = corpus.valid_receipts()
    receipt = query_pb2.Receipt.FromString(item["receipt"])
    world.start("manager-1", Manager(receipt=receipt))
    client = world.connect()
    assert client.get_receipt(receipt.record_hash).facts.height == item["facts"]["height"]
    with pytest.raises(UntrueAnswer):
        client.get_receipt(bytes(32))
    receipt.position += 1
    with pytest.raises(UntrueAnswer) as lie:
        client.get_receipt(receipt.record_hash)
    assert isinstance(lie.value.__cause__, verify.Problem)


def standings(world: World) -> list[query_pb2.StorageNodeStatus]:
    chain = verify.Chain(world.genesis)
    for view in world.blocks:
        chain.add(view)
    return [
        query_pb2.StorageNodeStatus(
            node_id=node.admission.node_id,
            credit=node.credit,
            reward=node.reward,
            paid=node.paid,
            changed_height=node.changed_height,
            last_attested_height=node.last_attested_height,
        )
        for node in chain.storage_nodes()
    ]


def test_a_statement_is_recomputed_from_genesis(world: World) -> None:
    import corpus

    facts = next(item["facts"] for item in corpus.read("chains") if "facts" in item)
    world.start("manager-1", Manager(blocks=world.blocks, nodes=standings(world)))
    client = world.connect()
    for node in facts["nodes"]:
        statement = client.get_statement(node["id"])
        assert [change.kind.value for change in statement.changes] == node["changes"]
        assert statement.node is not None
        assert (statement.node.credit, statement.height) == (node["credit"], 20)
    followed = client.follow(verify.Chain(client.genesis))
    assert sum(len(block.operations) for block in followed) == len(facts["operations"])


@pytest.mark.parametrize(
    "member", ["credit", "reward", "paid", "changed_height", "last_attested_height"]
)
def test_a_manager_that_says_otherwise_is_not_believed(
    world: World, monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    monkeypatch.setattr("bss_client.statement._COMPARISON_PAUSE_S", 0)
    nodes = standings(world)
    setattr(nodes[0], member, getattr(nodes[0], member) + 1)
    world.start("manager-1", Manager(blocks=world.blocks, nodes=nodes))
    with pytest.raises(UntrueAnswer):
        world.connect().get_statement(nodes[0].node_id)


def test_tree_heads_without_roots_are_equal() -> None:
    assert TreeHead(3) == TreeHead(3, None)


def test_a_settlement_is_the_one_that_was_asked_for(world: World) -> None:
    tariff = bytes(32)
    settlement = query_pb2.Settlement(
        participant_id="participant-1",
        from_unix_s=3600,
        to_unix_s=7200,
        tariff_hash=tariff,
        height=9,
        currency="EUR",
    )
    manager = world.start("manager-1", Manager(settlement=settlement))
    client = world.connect()
    start, end = (datetime.fromtimestamp(at, timezone.utc) for at in (3600, 7200))
    said = client.get_settlement("participant-1", start=start, end=end, tariff=tariff)
    assert said.currency == "EUR"
    with pytest.raises(UntrueAnswer):
        client.get_settlement("participant-1", start=start, end=end, tariff=tariff, height=8)
    manager.settlement = query_pb2.Settlement()
    with pytest.raises(UntrueAnswer):
        client.get_settlement("participant-1", start=start, end=end, tariff=tariff)


def test_what_is_not_a_submission_is_refused_with_what_would_be(world: World) -> None:
    world.start("manager-1", Manager())
    client = world.connect()
    with pytest.raises(TypeError, match=r"sign\(\*records\)"):
        client.sign([b"a record"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="what sign gives"):
        client.submit(b"a record")  # type: ignore[arg-type]
