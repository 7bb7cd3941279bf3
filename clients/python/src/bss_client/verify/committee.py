"""Which storage nodes attest a block, and who of them is audited."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bss_client.bssv1 import genesis_pb2, members_pb2
from bss_client.verify.hashes import TAG_AUDITED, TAG_COMMITTEE, u64


def eligible_nodes(
    nodes: Iterable[members_pb2.StorageNodeEntry], manager_count: int, policy: genesis_pb2.Policy
) -> list[str]:
    """The ids of the storage nodes from which committees are drawn, in the order of nodes.

    They are not suspended, with credit at or above the boycott line, and within their sponsor's
    share. With X of them before the share is taken, and N managers, each sponsor brings its first
    ⌈X/N⌉.
    """
    able = [
        node.admission
        for node in nodes
        if node.suspension == members_pb2.STORAGE_SUSPENSION_UNSPECIFIED
        and node.credit >= policy.boycott_line
    ]
    share = -(-len(able) // manager_count)
    taken: Counter[str] = Counter()
    eligible = []
    for node in able:
        if taken[node.sponsor_id] < share:
            taken[node.sponsor_id] += 1
            eligible.append(node.node_id)
    return eligible


def draw_committee(eligible: Sequence[str], beacon: bytes, round: int) -> list[str]:
    """Draws ⌊2X/3⌋+1 of the X eligible ids, which are sorted."""
    size = min(len(eligible), 2 * len(eligible) // 3 + 1)
    return _draw_among(eligible, size, TAG_COMMITTEE, beacon, round)


def draw_audited(
    named: Sequence[str], beacon: bytes, height: int, audits_per_block: int
) -> list[str]:
    """Draws those whose audit digest is recomputed among the named ids; both are sorted.

    It is at least one of fifty, because a node without data gains 1 when it is not drawn, and loses
    100 when it is.
    """
    if audits_per_block == 0:
        return []
    size = min(len(named), max(audits_per_block, -(-len(named) // 50)))
    return sorted(_draw_among(named, size, TAG_AUDITED, beacon, height))


def _draw_among(
    ids: Sequence[str], count: int, tag: bytes, beacon: bytes, number: int
) -> list[str]:
    """The Fisher-Yates shuffle by the bytes of SHAKE256(tag ‖ beacon ‖ number), stopped once enough
    are drawn."""
    draws = _draws(tag + beacon + u64(number), count)
    shuffled = list(ids)
    for place in range(count):
        chosen = place + _draw_below(len(shuffled) - place, draws)
        shuffled[place], shuffled[chosen] = shuffled[chosen], shuffled[place]
    return shuffled[:count]


def _draws(seed: bytes, expected: int) -> Iterator[int]:
    """The endless stream of SHAKE256 as integers of 32 bits."""
    read = 0
    length = 4 * (expected + 8)
    while True:
        # hashlib gives no stream; a longer digest begins with the shorter one.
        stream = hashlib.shake_256(seed).digest(length)
        for at in range(read, length, 4):
            yield int.from_bytes(stream[at : at + 4], "big")
        read, length = length, length * 2


def _draw_below(bound: int, draws: Iterator[int]) -> int:
    """A uniform integer below bound.

    Draws from the last, incomplete stretch of 2^32 are rejected, because they would favour low
    remainders.
    """
    limit = (1 << 32) // bound * bound
    return next(draw for draw in draws if draw < limit) % bound
