"""Why a storage node's credit and reward are what they are."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bss_client.bssv1 import members_pb2, query_pb2
from bss_client.errors import UntrueAnswer
from bss_client.read import Reader, pages
from bss_client.verify import Block, Chain, Problem, StandingChange

_BLOCKS_PER_PAGE = 100
# The chain grows while it is read. Its new blocks are read this often before the manager is taken
# to be wrong.
_COMPARISONS_MAX = 10
_COMPARISON_PAUSE_S = 0.3


@dataclass(frozen=True)
class Statement:
    """Why a storage node's credit and reward are what they are."""

    node_id: str
    height: int
    """That of the block up to which the chain was followed."""
    node: members_pb2.StorageNodeEntry | None
    """The node's standing after that block; None if nobody has admitted it."""
    changes: tuple[StandingChange, ...]
    """All that led to it, oldest first."""


def follow(reader: Reader, chain: Chain, timeout: float | None) -> Iterator[Block]:
    """See `Client.follow`."""
    from_height = chain.height + 1

    def fetch(token: str) -> tuple[Iterable[query_pb2.BlockView], str]:
        request = query_pb2.ListBlocksRequest(
            from_height=from_height, page_size=_BLOCKS_PER_PAGE, page_token=token
        )
        page = reader._query(timeout, lambda stub: stub.ListBlocks, request)
        return page.blocks, page.next_page_token

    for view in pages(fetch):
        try:
            block = chain.add(view)
        except Problem as problem:
            raise UntrueAnswer(f"the chain does not hold: {problem}") from problem
        yield block


def get_statement(reader: Reader, node_id: str, timeout: float | None) -> Statement:
    """See `Client.get_statement`."""
    chain = Chain(reader.genesis)
    changes: list[StandingChange] = []
    for comparison in range(_COMPARISONS_MAX):
        if comparison > 0:
            time.sleep(_COMPARISON_PAUSE_S)
        for block in follow(reader, chain, timeout):
            changes += [change for change in block.changes if change.node_id == node_id]
        node = chain.storage_node(node_id)
        nodes = reader.list_storage_nodes(timeout=timeout)
        said = next((each for each in nodes if each.node_id == node_id), None)
        if _is_same(node, said):
            return Statement(node_id, chain.height, node, tuple(changes))
    raise UntrueAnswer(
        f"what a manager says about {node_id} does not follow from the chain up to block "
        f"{chain.height}"
    )


def _is_same(
    computed: members_pb2.StorageNodeEntry | None, said: query_pb2.StorageNodeStatus | None
) -> bool:
    if computed is None or said is None:
        return computed is None and said is None
    return (
        computed.credit == said.credit
        and computed.reward == said.reward
        and computed.paid == said.paid
        and computed.changed_height == said.changed_height
        and computed.last_attested_height == said.last_attested_height
    )
