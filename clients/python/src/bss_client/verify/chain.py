"""Following the blocks from genesis on."""

from __future__ import annotations

from bss_client.bssv1 import block_pb2, genesis_pb2, members_pb2, query_pb2
from bss_client.verify.block import Block, verify_final
from bss_client.verify.draft import Draft, SettledBlock
from bss_client.verify.genesis import Genesis
from bss_client.verify.members import Members, copied
from bss_client.verify.merkle import Frontier
from bss_client.verify.problem import Problem, Step
from bss_client.verify.wire import decode_canonical


class Chain:
    """Follows the blocks from genesis on.

    It believes what Q managers of genesis committed, as a receipt does, and nobody who sends the
    blocks: every link, root and signature is checked, and the members are computed by itself and
    held against the digest in the header.

    A chain is for one thread at a time.
    """

    def __init__(self, genesis: Genesis) -> None:
        self._genesis = genesis
        self._height = 0
        self._id = genesis.consortium_id
        self._time_ms = genesis.message.time_unix_ms
        self._log = Frontier()
        self._members = _genesis_members(genesis.message)
        # The last block, as the next one settles it; None for genesis.
        self._last: SettledBlock | None = None

    @property
    def height(self) -> int:
        """That of the last block that was added; 0 for genesis."""
        return self._height

    @property
    def block_id(self) -> bytes:
        """That of the last block; the consortium id for genesis."""
        return self._id

    @property
    def tree_size(self) -> int:
        """The size of the Merkle log after the last block."""
        return self._log.size

    @property
    def root(self) -> bytes:
        """The root of the Merkle log after the last block."""
        return self._log.root()

    def storage_node(self, id: str) -> members_pb2.StorageNodeEntry | None:
        """The standing of a storage node after the last block; None if nobody admitted it."""
        node = self._members.nodes.get(id)
        return None if node is None else copied(node)

    def storage_nodes(self) -> list[members_pb2.StorageNodeEntry]:
        """The standings of all storage nodes after the last block, ascending by id."""
        return [copied(node) for node in self._members.sorted_nodes()]

    def managers(self) -> list[members_pb2.ManagerEntry]:
        """The standings of the managers after the last block, in ring order."""
        return [copied(manager) for manager in self._members.managers]

    def add(self, view: query_pb2.BlockView) -> Block:
        """Takes in the next block, which has to be whole (not headers_only).

        Raises `Problem` for one that does not follow, or is not final; the chain then stays where
        it was.
        """
        block = verify_final(view, self._genesis)
        if block.height != self._height + 1:
            what = f"the next block is {self._height + 1}, not {block.height}"
            raise Problem(Step.HEADER, what)
        if block.previous_id != self._id:
            what = f"block {block.height} does not follow the one before it"
            raise Problem(Step.HEADER, what)
        if block.header.timestamp_unix_ms <= self._time_ms:
            what = f"the time of block {block.height} is not after its parent's"
            raise Problem(Step.HEADER, what)
        log = self._log.append(block.leaf_hashes())
        if log.size != block.tree_size or log.root() != block.root:
            what = f"the records of block {block.height} do not lead to its hash1"
            raise Problem(Step.LOG, what)
        integrity = self._carried_integrity(view.block, block.height)
        draft = self._apply(block, integrity)
        self._last = SettledBlock(
            height=block.height,
            id=block.id,
            root=block.root,
            tree_size=block.tree_size,
            beacon=block.header.beacon,
            leaves=len(block.leaves),
            eligible=self._members.eligible(self._genesis.message.policy),
        )
        self._height, self._id = block.height, block.id
        self._time_ms = block.header.timestamp_unix_ms
        self._log, self._members = log, draft.members
        return block.with_changes(draft.changes)

    def _carried_integrity(
        self, block: block_pb2.Block, height: int
    ) -> block_pb2.IntegrityCertificate | None:
        """The integrity certificate of the block before, as this one carries it."""
        if self._last is None:
            return None
        carried = block_pb2.BlockCertificates()
        if not decode_canonical(block.previous_certificates, carried):
            what = f"block {height}: the certificates of the block before do not decode"
            raise Problem(Step.BODY, what)
        has_integrity = carried.HasField("integrity")
        if has_integrity != (self._last.leaves > 0):
            what = (
                f"block {height}: an integrity certificate belongs to a block that adds records, "
                "and to no other"
            )
            raise Problem(Step.BODY, what)
        return carried.integrity if has_integrity else None

    def _apply(self, block: Block, integrity: block_pb2.IntegrityCertificate | None) -> Draft:
        """Computes the members after the block, and holds them against the header."""
        header = block.header
        time_ms = header.timestamp_unix_ms
        policy = self._genesis.message.policy
        draft = Draft(self._members.clone(), policy, header.height, time_ms)
        draft.settle(self._last, integrity, time_ms - self._time_ms, header.beacon)
        for operation in block.operations:
            if not draft.apply(operation):
                what = f"block {block.height} holds an operation that this version does not know"
                raise Problem(Step.MEMBERS, what)
        draft.conclude(header.sealed_bytes)
        if draft.members.digest() != header.members_digest:
            what = f"the members after block {block.height} have another digest than its header"
            raise Problem(Step.MEMBERS, what)
        return draft


def _genesis_members(genesis: genesis_pb2.Genesis) -> Members:
    """The managers, storage nodes and officers of genesis."""
    members = Members([members_pb2.ManagerEntry(member=each) for each in genesis.managers])
    draft = Draft(members, genesis.policy, height=0, time_ms=0)
    for operation in genesis.operations:
        draft.apply(operation)
    return members
