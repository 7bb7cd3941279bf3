"""All entries that a header's members_digest covers, as members.proto has them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from google.protobuf.message import Message

from bss_client.bssv1 import genesis_pb2, members_pb2
from bss_client.verify.committee import eligible_nodes
from bss_client.verify.merkle import Frontier, entry_hash
from bss_client.verify.wire import canonical_bytes

M = TypeVar("M", bound=Message)


class Members:
    """The members after a block.

    An entry is never written to: a change replaces it by a changed copy, so that members of two
    heights share the others.
    """

    def __init__(self, managers: list[members_pb2.ManagerEntry]) -> None:
        self.managers = managers
        """In ring order."""
        self.nodes: dict[str, members_pb2.StorageNodeEntry] = {}
        self.officers: dict[str, members_pb2.OfficerEntry] = {}
        self.open: list[members_pb2.OpenCommittee] = []
        """Ascending by height."""
        self.totals = members_pb2.StorageTotals()
        # The leaf hashes of entries, which most blocks leave as they are. An entry is found by its
        # identity, and is kept here so that no other one gets it.
        self._leaves: dict[int, tuple[Message, bytes]] = {}

    def clone(self) -> Members:
        copy = Members(list(self.managers))
        copy.nodes = dict(self.nodes)
        copy.officers = dict(self.officers)
        copy.open = list(self.open)
        copy.totals = self.totals
        copy._leaves = self._leaves
        return copy

    def sorted_nodes(self) -> list[members_pb2.StorageNodeEntry]:
        """The storage nodes ascending by id."""
        return _sorted(self.nodes)

    def eligible(self, policy: genesis_pb2.Policy) -> list[str]:
        return eligible_nodes(self.sorted_nodes(), len(self.managers), policy)

    def suspension_room(self, policy: genesis_pb2.Policy) -> int:
        """How many of the active managers may be suspended."""
        if policy.suspension != genesis_pb2.SUSPENSION_MODE_FLOOR:
            return 0
        active = sum(not manager.suspended for manager in self.managers)
        count = len(self.managers)
        return max(0, active - (count - (count - 1) // 3))

    def digest(self) -> bytes:
        """members_digest: the RFC 9162 root over the canonical bytes of each entry."""
        entries: list[tuple[Message, Callable[[], members_pb2.MemberEntry]]] = []
        entry = members_pb2.MemberEntry
        for manager in self.managers:
            entries.append((manager, partial(entry, manager=manager)))
        for node in self.sorted_nodes():
            entries.append((node, partial(entry, storage_node=node)))
        for officer in _sorted(self.officers):
            entries.append((officer, partial(entry, officer=officer)))
        for committee in self.open:
            entries.append((committee, partial(entry, open_committee=committee)))
        if self.totals != members_pb2.StorageTotals():
            entries.append((self.totals, partial(entry, totals=self.totals)))
        known = {}
        for part, make in entries:
            leaf = self._leaves.get(id(part)) or (part, entry_hash(canonical_bytes(make())))
            known[id(part)] = leaf
        self._leaves = known
        return Frontier().append(known[id(part)][1] for part, _ in entries).root()


def _sorted(values: dict[str, M]) -> list[M]:
    # By bytes of UTF-8, as everywhere; of strings Python's order is the same.
    return [values[key] for key in sorted(values)]


def copied(entry: M) -> M:
    copy = type(entry)()
    copy.CopyFrom(entry)
    return copy


def changed(entry: M, change: Callable[[M], None]) -> M:
    """A changed copy."""
    copy = copied(entry)
    change(copy)
    return copy
