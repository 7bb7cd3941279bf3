import hashlib
from collections.abc import Callable

import corpus
import mutants
import pytest

from bss_client import verify
from bss_client.verify.signature import verify_signature

# Together 100,000.
RECEIPT_MUTANTS = 96_000
BLOCK_MUTANTS = 4_000


def named(file: str) -> list[object]:
    return [pytest.param(item, id=item["name"]) for item in corpus.read(file)]


def refused(check: Callable[[], object], allowed: list[str]) -> None:
    with pytest.raises(verify.Problem) as refusal:
        check()
    assert refusal.value.step.value in allowed


@pytest.mark.parametrize("item", named("signatures"))
def test_signatures(item: corpus.Item) -> None:
    assert verify_signature(item["key"], item["digest"], item["signature"]) is item["valid"]


@pytest.mark.parametrize("item", named("receipts"))
def test_receipts(item: corpus.Item) -> None:
    genesis = corpus.genesis(item["genesis"])

    def check() -> corpus.Item:
        return corpus.receipt_facts(genesis, item["receipt"], item.get("record"))

    if "facts" in item:
        assert check() == item["facts"]
    else:
        refused(check, item["refused"])


def test_a_receipt_is_written_and_read() -> None:
    for item in corpus.valid_receipts():
        receipt = verify.receipt_from_binary(item["receipt"])
        text = verify.receipt_to_json(receipt)
        assert verify.receipt_from_json(text) == receipt
        assert verify.receipt_to_binary(receipt) == item["receipt"]
        with pytest.raises(verify.Problem, match="receipt_from_json"):
            verify.receipt_from_binary(text.encode())
    with pytest.raises(verify.Problem, match="no receipt"):
        verify.receipt_from_json("{}")


@pytest.mark.parametrize("item", named("proofs"))
def test_proofs(item: corpus.Item) -> None:
    if item["kind"] == "inclusion":
        holds = verify.verify_inclusion(
            leaf_hash=item["leafHash"],
            leaf_index=item["leafIndex"],
            tree_size=item["treeSize"],
            root=item["root"],
            proof=item["proof"],
        )
    else:
        assert item["kind"] == "consistency"
        holds = verify.verify_consistency(
            from_size=item["fromSize"],
            from_root=item["fromRoot"],
            to_size=item["toSize"],
            to_root=item["toRoot"],
            proof=item["proof"],
        )
    assert holds is item["valid"]


@pytest.mark.parametrize("item", named("chains"))
def test_chains(item: corpus.Item) -> None:
    genesis = corpus.genesis(item["genesis"])
    valid = corpus.valid_blocks()
    blocks = valid[: item.get("after", 0)] + item["blocks"]
    if "facts" in item:
        assert corpus.Follower(genesis, blocks).facts() == item["facts"]
        return
    *before, last = blocks
    follower = corpus.Follower(genesis, before)
    reached = follower.facts()
    refused(lambda: follower.add(last), item["refused"])
    assert follower.facts() == reached, "the refused block has left something behind"
    if len(before) < len(valid):
        follower.add(valid[len(before)])


@pytest.mark.parametrize("item", named("mutations"))
def test_mutants_are_those_of_the_other_clients(item: corpus.Item) -> None:
    receipts = [each["receipt"] for each in corpus.valid_receipts()]
    originals = corpus.valid_blocks() if item["of"] == "chain" else receipts
    digest = hashlib.sha256()
    for number in range(item["count"]):
        _, mutated = mutants.mutant(originals, number)
        digest.update(len(mutated).to_bytes(8, "big") + mutated)
    assert digest.hexdigest() == item["sha256"]


def test_mutants_of_receipts_are_refused_or_say_the_same() -> None:
    valid = corpus.valid_receipts()
    originals = [each["receipt"] for each in valid]
    genesis = corpus.genesis()
    held = 0
    for number in range(RECEIPT_MUTANTS):
        _, mutated = mutants.mutant(originals, number)
        try:
            facts = corpus.receipt_facts(genesis, mutated)
        except verify.Problem:
            continue
        held += 1
        assert any(says_no_more(facts, each["facts"]) for each in valid), (number, facts)
    assert held > 0, "the mutants are too far from what is valid"


def says_no_more(facts: corpus.Item, original: corpus.Item) -> bool:
    """Whether facts are those of the original, by as many of its signers or fewer."""
    fewer = set(facts["signers"]) <= set(original["signers"])
    return fewer and facts == {**original, "signers": facts["signers"]}


def test_mutants_of_blocks_are_refused_or_say_the_same() -> None:
    genesis, blocks = corpus.genesis(), corpus.valid_blocks()
    reached = [corpus.Follower(genesis, blocks[:height]) for height in range(len(blocks) + 1)]
    held = 0
    for number in range(BLOCK_MUTANTS):
        of, mutated = mutants.mutant(blocks, number)
        try:
            reached[of].add(mutated)
        except verify.Problem:
            continue
        held += 1
        assert reached[of].facts() == reached[of + 1].facts(), number
        reached[of] = corpus.Follower(genesis, blocks[:of])
    assert held > 0, "the mutants are too far from what is valid"
