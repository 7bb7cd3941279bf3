/** A toy ledger with blocks of given sizes, and what a manager would answer about them. */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { ed25519KeyPairFromSeed } from "../../src/crypto/ed25519.js";
import { type Block, BlockSchema } from "../../src/gen/bss/v1/block_pb.js";
import {
  GetReceiptRequestSchema,
  type Receipt,
  ReceiptSchema,
} from "../../src/gen/bss/v1/query_pb.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import { initialStanding } from "../../src/ledger/members/member-lists.js";
import { Members } from "../../src/ledger/members/members.js";
import { getReceipt } from "../../src/query/record-queries.js";
import { ToyLedger, type ToySigner } from "./toy-ledger.js";

export const toySigners: readonly ToySigner[] = [1, 2, 3, 4].map((i) => ({
  managerId: `manager-${i}`,
  seed: new Uint8Array(32).fill(i),
}));
const members = new Members({
  managers: toySigners.map(({ managerId, seed }) => ({
    managerId,
    signingKey: ed25519KeyPairFromSeed(seed).publicKey,
    ...initialStanding,
    vrfKey: seed,
    hpkeKey: seed,
    tlsSpkiSha256: seed,
    address: "localhost:1",
  })),
  storageNodes: [],
  officers: [],
});

export const toyGenesis = {
  consortiumId: new Uint8Array(32).fill(7),
  members,
  timestampMs: 1000,
  genesis: { operations: [] },
} as unknown as GenesisState;

/** Positions run from 0 over all blocks. */
export function toyChain(sizes: readonly number[]) {
  const ledger = new ToyLedger(toyGenesis, toySigners);
  for (const size of sizes) {
    const from = ledger.entries.length;
    ledger.append(Array.from({ length: size }, (_, i) => Uint8Array.of(from + i, 77)));
  }
  const hashAt = (position: number) => defined(ledger.entries[position]?.[0], "a record");
  const receiptOf = async (recordHash: Uint8Array): Promise<Receipt> => {
    const request = create(GetReceiptRequestSchema, { recordHash });
    return create(ReceiptSchema, (await getReceipt(ledger, request)).receipt);
  };
  const blockAt = async (height: number): Promise<Block> =>
    create(BlockSchema, defined(await ledger.finalBlock(height), "a block of the ledger").block);
  return { hashAt, receiptOf, blockAt };
}
