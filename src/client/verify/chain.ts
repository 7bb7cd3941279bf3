/**
 * The public chain, followed from genesis on and believed of nobody: who the members are, and how
 * each storage node stands. Every block is checked with all signatures on which it rests; its
 * header states a digest of all members, so what is computed here is what the managers signed.
 */
import { followBlock } from "../../consensus/attestation/public-chain.js";
import { SignatureCache } from "../../crypto/signature-cache.js";
import type { ControlOperation } from "../../gen/bss/v1/genesis_pb.js";
import type { BlockView } from "../../gen/bss/v1/query_pb.js";
import { parseBlock } from "../../ledger/blocks/block-parsing.js";
import type { GenesisState } from "../../ledger/genesis.js";
import type { Members } from "../../ledger/members/members.js";
import { rootOf } from "../../ledger/merkle/frontier.js";
import type { StandingChange } from "../../ledger/storage-nodes/credit.js";
import { genesisStorageHead, type StorageHead } from "../../ledger/storage-nodes/storage-head.js";
import { UntrueAnswer } from "./answers.js";

/** What a block proves about the members. */
export type ChainBlock = {
  readonly height: number;
  /** 32 bytes. */
  readonly blockId: Uint8Array;
  /** Unix ms. */
  readonly timestampMs: number;
  /** The changes of membership, in order. */
  readonly operations: readonly ControlOperation[];
  /** Those of the standings of storage nodes. */
  readonly changes: readonly StandingChange[];
};

export class Chain {
  readonly #genesis: GenesisState;
  readonly #signatures = new SignatureCache();
  #head: StorageHead;

  constructor(genesis: GenesisState) {
    this.#genesis = genesis;
    this.#head = genesisStorageHead(genesis);
  }

  /** Up to which block the chain has been followed; 0 for genesis. */
  get height(): number {
    return this.#head.height;
  }

  /** After the last block. */
  get members(): Members {
    return this.#head.members;
  }

  /** Records on the ledger after the last block. */
  get treeSize(): number {
    return this.#head.frontier.size;
  }

  /** 32 bytes: the root over them. */
  get root(): Uint8Array {
    return rootOf(this.#head.frontier);
  }

  /**
   * Takes in the next block. Throws `UntrueAnswer` for one that does not follow, or is not final.
   * The chain then stays where it was.
   */
  async add(view: BlockView): Promise<ChainBlock> {
    const untrue = (what: string) =>
      new UntrueAnswer(`block ${view.height} does not follow from the ones before it: ${what}`);
    const { block, certificates } = view;
    if (block === undefined || certificates === undefined) throw untrue("it is incomplete");
    const parsed = parseBlock(block);
    if (!parsed.ok) throw untrue(parsed.error.message);
    const { consortiumId, policy } = this.#genesis;
    const changes: StandingChange[] = [];
    const before = this.#head;
    const context = { consortiumId, policy, head: before };
    const followed = followBlock(parsed.value, certificates, context, (change) => {
      changes.push(change);
    });
    if (!followed.ok) throw untrue(followed.error.message);
    const { signatures, head } = followed.value;
    const invalid = await this.#signatures.firstInvalid(signatures);
    if (invalid !== undefined) throw untrue(invalid.violation.message);
    if (this.#head !== before) throw untrue("another block was taken in meanwhile");
    this.#head = head;
    const { height, blockId, timestampMs, control: operations } = parsed.value;
    return { height, blockId, timestampMs, operations, changes };
  }
}
