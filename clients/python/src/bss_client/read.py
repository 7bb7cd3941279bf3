"""Reading the ledger: what is answered is held against hashes and proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import grpc

from bss_client.bssv1 import query_pb2, record_pb2
from bss_client.bssv1.query_pb2_grpc import QueryServiceStub
from bss_client.connections import READ, Connections, ask
from bss_client.errors import UntrueAnswer
from bss_client.profile import Profile
from bss_client.records import unix_ms, unix_s
from bss_client.verify import (
    Block,
    Genesis,
    Problem,
    ReceiptFacts,
    record_hash,
    verify_consistency,
    verify_final,
    verify_receipt,
)
from bss_client.verify.wire import decode, is_hash

Q = TypeVar("Q")
T = TypeVar("T")


@dataclass(frozen=True)
class LedgerRecord:
    """A record as far as the caller may see it.

    `hash` names it; `encoded` and `record` are its content, or None if the caller may not read it;
    `height`, `position`, `seal_digest` and `successor` are what the answering manager says.
    """

    hash: bytes
    height: int
    """What the answering manager says, like `position`; a receipt proves them."""
    position: int
    seal_digest: bytes
    encoded: bytes | None
    """The exact bytes, checked against the hash; None for callers that are not a party of the
    record."""
    record: record_pb2.Record | None
    """The same decoded."""
    successor: bytes | None
    """The version that updates this one, as the manager says; None for the latest."""


@dataclass(frozen=True)
class VerifiedReceipt:
    """A receipt and what it proves.

    `receipt` is what to keep (`verify.receipt_to_json`): `verify.verify_receipt` checks it at any
    time without a connection. `facts` are what it proves.
    """

    receipt: query_pb2.Receipt
    facts: ReceiptFacts


@dataclass(frozen=True)
class TreeHead:
    """A size of the Merkle log, and its root if the caller holds it: from the facts of a receipt,
    or from a block."""

    tree_size: int
    root: bytes | None = None


class Reader:
    """The reading half of `Client`. `timeout` is in seconds; 30 when left out."""

    def __init__(self, profile: Profile) -> None:
        if not profile.addresses:
            raise ValueError("a profile has at least one address")
        self._profile = profile
        self._connections = Connections(profile)

    @property
    def genesis(self) -> Genesis:
        """What the consortium started from, and what receipts are checked against."""
        return self._profile.genesis

    def record_hash(self, record: bytes) -> bytes:
        """The "data hash" under which a record's exact bytes stand on the ledger."""
        return record_hash(self.genesis.consortium_id, record)

    def get_status(self, *, timeout: float | None = None) -> query_pb2.GetStatusResponse:
        """What the manager that is asked says about itself."""
        request = query_pb2.GetStatusRequest()
        return self._query(timeout, lambda stub: stub.GetStatus, request)

    def get_record(self, hash: bytes, *, timeout: float | None = None) -> LedgerRecord:
        """Reads one record. The reason is RECORD_UNKNOWN if it is not on the ledger."""
        request = query_pb2.GetRecordRequest(record_hash=hash)
        answer = self._query(timeout, lambda stub: stub.GetRecord, request)
        record = self._checked(answer.entry)
        if record.hash != hash:
            raise UntrueAnswer("the manager answered with another record")
        return record

    def get_record_history(
        self, hash: bytes, *, timeout: float | None = None
    ) -> Iterator[LedgerRecord]:
        """Reads every version of a record, oldest first, by the hash of any of them.

        Pages are fetched as the caller reads on; `timeout` is that of each page. `UntrueAnswer`
        says that a version does not update the one before it, or that the one that was asked for is
        not among them.
        """

        def fetch(token: str) -> tuple[Iterable[query_pb2.RecordEntry], str]:
            request = query_pb2.GetRecordHistoryRequest(record_hash=hash, page_token=token)
            page = self._query(timeout, lambda stub: stub.GetRecordHistory, request)
            return page.entries, page.next_page_token

        previous = b""
        found = False
        for entry in pages(fetch):
            version = self._checked(entry)
            if version.record is not None and version.record.parent != previous:
                raise UntrueAnswer(
                    f"version {version.hash.hex()} does not update the one before it"
                )
            previous, found = version.hash, found or version.hash == hash
            yield version
        if not found:
            raise UntrueAnswer("the history does not hold the record that was asked for")

    def list_records(
        self,
        *,
        participant_id: str = "",
        meter_id: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[LedgerRecord]:
        """Reads records of one participant or of one meter, ascending by their time.

        `start` (inclusive) and `end` (exclusive) bound the records' times. A reading's time is the
        END of its interval, unless it was given another: to find the one of [s, s+i), ask for
        start=s+i and end=s+i+timedelta(milliseconds=1). Pages are fetched as the caller reads on;
        `timeout` is that of each page.
        """

        def fetch(token: str) -> tuple[Iterable[query_pb2.RecordEntry], str]:
            request = query_pb2.ListRecordsRequest(
                participant_id=participant_id,
                meter_id=meter_id,
                from_unix_ms=0 if start is None else unix_ms(start),
                to_unix_ms=0 if end is None else unix_ms(end),
                page_size=page_size,
                page_token=token,
            )
            page = self._query(timeout, lambda stub: stub.ListRecords, request)
            return page.entries, page.next_page_token

        return map(self._checked, pages(fetch))

    def get_receipt(self, hash: bytes, *, timeout: float | None = None) -> VerifiedReceipt:
        """Reads the receipt of a record and verifies it against genesis."""
        request = query_pb2.GetReceiptRequest(record_hash=hash)
        answer = self._query(timeout, lambda stub: stub.GetReceipt, request)
        if answer.receipt.record_hash != hash:
            raise UntrueAnswer("the answer holds no receipt for this record")
        try:
            facts = verify_receipt(answer.receipt, self.genesis)
        except Problem as problem:
            raise UntrueAnswer(f"the receipt proves nothing: {problem}") from problem
        return VerifiedReceipt(answer.receipt, facts)

    def get_block(self, height: int, *, timeout: float | None = None) -> Block:
        """Reads one block by its height, and verifies that it is final. The reason is BLOCK_UNKNOWN
        if there is none."""
        request = query_pb2.GetBlockRequest(height=height)
        answer = self._query(timeout, lambda stub: stub.GetBlock, request)
        try:
            block = verify_final(answer.block, self.genesis)
        except Problem as problem:
            raise UntrueAnswer(f"the block does not hold: {problem}") from problem
        if block.height != height:
            raise UntrueAnswer(f"asked for block {height}, got block {block.height}")
        return block

    def get_settlement(
        self,
        participant_id: str,
        *,
        start: datetime,
        end: datetime,
        tariff: bytes,
        height: int = 0,
        timeout: float | None = None,
    ) -> query_pb2.Settlement:
        """Reads what a period comes to, as one manager says: for the participant itself and for
        managers.

        `start` (inclusive) and `end` (exclusive) are starts of delivery intervals, at most 366 days
        apart; `tariff` is the hash of the tariff's record, and `height` the block after which the
        ledger counts, the head when 0. docs/settlement.md says how it is computed; only the
        TypeScript client recomputes it.
        """
        request = query_pb2.GetSettlementRequest(
            participant_id=participant_id,
            from_unix_s=unix_s(start),
            to_unix_s=unix_s(end),
            tariff_hash=tariff,
            height=height,
        )
        answer = self._query(timeout, lambda stub: stub.GetSettlement, request)
        said = answer.settlement
        asked = (request.participant_id, request.from_unix_s, request.to_unix_s, tariff)
        told = (said.participant_id, said.from_unix_s, said.to_unix_s, said.tariff_hash)
        if told != asked or height not in (0, said.height):
            raise UntrueAnswer("the manager answered with another settlement")
        return said

    def get_consistency_proof(
        self, start: TreeHead, end: TreeHead | None = None, *, timeout: float | None = None
    ) -> query_pb2.GetConsistencyProofResponse:
        """Proves that the ledger has only grown between two sizes; the second is the ledger's
        present one when left out.

        The roots that the caller holds have to be those of the proof. `UntrueAnswer` says that the
        ledger was rewritten.
        """
        request = query_pb2.GetConsistencyProofRequest(
            from_tree_size=start.tree_size, to_tree_size=end.tree_size if end else 0
        )
        proof = self._query(timeout, lambda stub: stub.GetConsistencyProof, request)
        if not is_hash(proof.from_root) or not is_hash(proof.to_root):
            raise UntrueAnswer("the proof holds no roots")
        for head, size, root in (
            (start, proof.from_tree_size, proof.from_root),
            (end or TreeHead(proof.to_tree_size), proof.to_tree_size, proof.to_root),
        ):
            if head.tree_size != size:
                raise UntrueAnswer("the proof is about other sizes than those that were asked for")
            if head.root is not None and head.root != root:
                raise UntrueAnswer(
                    "the proof is about other roots than those that the caller holds"
                )
        holds = verify_consistency(
            from_size=proof.from_tree_size,
            from_root=proof.from_root,
            to_size=proof.to_tree_size,
            to_root=proof.to_root,
            proof=proof.proof,
        )
        if not holds:
            sizes = f"{proof.from_tree_size} and {proof.to_tree_size} records"
            raise UntrueAnswer(f"the proof between {sizes} does not hold")
        return proof

    def get_consortium(self, *, timeout: float | None = None) -> query_pb2.GetConsortiumResponse:
        """Reads the managers, the policy and the rules in force, as one manager says. Changes of
        membership that are proven come from `Client.follow`."""
        request = query_pb2.GetConsortiumRequest(history_page_size=1)
        return self._query(timeout, lambda stub: stub.GetConsortium, request)

    def list_storage_nodes(
        self, *, timeout: float | None = None
    ) -> Iterator[query_pb2.StorageNodeStatus]:
        """Reads the storage nodes ascending by id, as one manager says. What is proven of one comes
        from `Client.get_statement`."""

        def fetch(token: str) -> tuple[Iterable[query_pb2.StorageNodeStatus], str]:
            request = query_pb2.ListStorageNodesRequest(page_token=token)
            page = self._query(timeout, lambda stub: stub.ListStorageNodes, request)
            return page.nodes, page.next_page_token

        return pages(fetch)

    def _query(
        self,
        timeout: float | None,
        method: Callable[[QueryServiceStub], grpc.UnaryUnaryMultiCallable[Q, T]],
        request: Q,
    ) -> T:
        """Calls a method of the QueryService."""
        return ask(
            self._connections,
            READ,
            timeout,
            lambda channel: method(QueryServiceStub(channel)),
            request,
        )

    def _checked(self, entry: query_pb2.RecordEntry) -> LedgerRecord:
        """A record of an answer, whose content has the hash that it is called by."""
        if not is_hash(entry.record_hash) or not is_hash(entry.seal_digest):
            raise UntrueAnswer("the answer holds no record")
        decoded = None
        if entry.HasField("record"):
            decoded = record_pb2.Record()
            hashed = self.record_hash(entry.record) == entry.record_hash
            if not hashed or not decode(entry.record, decoded):
                what = f"the content of record {entry.record_hash.hex()} is not what was hashed"
                raise UntrueAnswer(what)
        return LedgerRecord(
            hash=entry.record_hash,
            height=entry.height,
            position=entry.position,
            seal_digest=entry.seal_digest,
            encoded=None if decoded is None else entry.record,
            record=decoded,
            successor=entry.successor if is_hash(entry.successor) else None,
        )


def pages(fetch: Callable[[str], tuple[Iterable[T], str]]) -> Iterator[T]:
    """All items of a listing, page by page, as the caller reads on."""
    token = ""
    while True:
        items, following = fetch(token)
        yield from items
        if following == "":
            return
        if following == token:
            raise UntrueAnswer("a listing names the same page as its next page")
        token = following
