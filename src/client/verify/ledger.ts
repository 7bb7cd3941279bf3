/**
 * A consortium's ledger as somebody sees it who has the genesis file and believes nobody: receipts
 * that are held against it, and the public chain as far as it was followed. It needs no connection
 * and no clock, and runs in browsers.
 *
 *     const opened = Ledger.fromGenesis(file, consortiumId);
 *     const checked = opened.value.verifyReceipt(await (await fetch("receipt.json")).text());
 *
 * What it gives was proven; what it refuses comes as a value that says at which step.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { equalBytes, fromHex, toHex } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import { hashBytes, sha256 } from "../../crypto/hash.js";
import { type BlockView, BlockViewSchema, type Receipt } from "../../gen/bss/v1/query_pb.js";
import { type Record, RecordSchema } from "../../gen/bss/v1/record_pb.js";
import { type GenesisState, parseGenesis } from "../../ledger/genesis.js";
import type { StorageNode } from "../../ledger/members/member-lists.js";
import { strictDecode } from "../../ledger/strict-decode.js";
import { type WireBounds, wireProblem } from "../../ledger/wire-bounds.js";
import { checkedBlock, UntrueAnswer } from "./answers.js";
import { Chain, type ChainBlock } from "./chain.js";
import { Statement } from "./credit-statement.js";
import {
  type ReceiptCheckOptions,
  type ReceiptStep,
  receiptFromBinary,
  receiptFromJson,
  type VerifiedReceipt,
  verifyReceipt,
} from "./receipt-check.js";

/** Why something was not believed. */
export type Refusal = {
  /** "encoding": it is not what it should be at all. Of a receipt: the step that failed. */
  readonly step: "genesis" | "encoding" | "block" | ReceiptStep;
  /** One sentence for people. */
  readonly message: string;
};

export type ProvenRecord = VerifiedReceipt & {
  /** The content, if its bytes were given, have the proven hash and are a record. */
  readonly record?: Record;
};

export class Ledger {
  readonly genesis: GenesisState;
  readonly #chain: Chain;

  private constructor(genesis: GenesisState) {
    this.genesis = genesis;
    this.#chain = new Chain(genesis);
  }

  /**
   * Opens the ledger that a genesis file begins.
   *
   * @param file the exact bytes
   * @param consortiumId 32 bytes or their hex: SHA-256 of the file, from somebody who is believed.
   *   All that is proven is proven by the managers whom this id stands for.
   */
  static fromGenesis(file: Uint8Array, consortiumId: Uint8Array | string): Result<Ledger, Refusal> {
    const expected = typeof consortiumId === "string" ? fromHex(consortiumId) : consortiumId;
    if (expected?.length !== hashBytes)
      return refused("genesis", "The consortium id has 32 bytes, which are 64 hex digits.");
    const found = sha256(file);
    if (!equalBytes(found, expected)) {
      const ids = [found, expected].map(toHex).join(", not of ");
      return refused("genesis", `The file is that of consortium ${ids}.`);
    }
    const genesis = parseGenesis(file);
    if (genesis.ok) return ok(new Ledger(genesis.value));
    const { message, field } = genesis.error;
    return refused("genesis", field === undefined ? message : `${field}: ${message}`);
  }

  /** Up to which block the chain has been followed; 0 for genesis. */
  get height(): number {
    return this.#chain.height;
  }

  /** Records on the ledger after that block. */
  get treeSize(): number {
    return this.#chain.treeSize;
  }

  /** 32 bytes: the root over them, which `verifyInclusion` and `verifyConsistency` take. */
  get root(): Uint8Array {
    return this.#chain.root;
  }

  /** After that block. */
  get storageNodes(): readonly StorageNode[] {
    return this.#chain.members.storageNodes;
  }

  /**
   * Checks a receipt: the text of a receipt file (protobuf JSON) or an encoded message. It rests on
   * genesis alone, so the chain need not be followed.
   */
  verifyReceipt(
    receipt: string | Uint8Array,
    options: ReceiptCheckOptions = {},
  ): Result<ProvenRecord, Refusal> {
    const read = receiptOf(receipt);
    if (!read.ok) return read;
    const verified = verifyReceipt(read.value, this.genesis, options);
    if (!verified.ok || options.record === undefined) return verified;
    const record = strictDecode(RecordSchema, options.record);
    return record.ok ? ok({ ...verified.value, record: record.value }) : verified;
  }

  /**
   * Takes in the next block: an encoded BlockView, as QueryService.ListBlocks gives it. A block is
   * checked with all signatures on which it rests; a refused one leaves the chain where it was.
   */
  async follow(block: Uint8Array): Promise<Result<ChainBlock, Refusal>> {
    const view = blockFromBinary(block);
    if (view === undefined) return refused("encoding", "These bytes are no block.");
    try {
      checkedBlock(view);
      return ok(await this.#chain.add(view));
    } catch (error) {
      if (error instanceof UntrueAnswer) return refused("block", error.message);
      throw error;
    }
  }

  /** For the reasons of a storage node's credit: an account that follows a chain of its own. */
  statement(nodeId: string): Statement {
    return new Statement(nodeId, this.genesis);
  }
}

/** As much as one block with its certificates may hold. */
const blockBounds: WireBounds = {
  elements: 2_048,
  memoryBytes: 524_288,
  elementsPerByte: 1 / 12,
  memoryPerByte: 20,
};

/** Reads a block from an encoded BlockView; undefined if the bytes are none. */
export function blockFromBinary(bytes: Uint8Array): BlockView | undefined {
  if (wireProblem(BlockViewSchema, bytes, blockBounds) !== undefined) return undefined;
  try {
    return fromBinary(BlockViewSchema, bytes);
  } catch {
    return undefined;
  }
}

function receiptOf(receipt: string | Uint8Array): Result<Receipt, Refusal> {
  if (typeof receipt !== "string") {
    const read = receiptFromBinary(receipt);
    return read === undefined ? refused("encoding", "These bytes are no receipt.") : ok(read);
  }
  return receiptFromJson(receipt);
}

function refused(step: Refusal["step"], message: string): Result<never, Refusal> {
  return err({ step, message });
}
