/** A receipt with one bit changed, once for each of its parts. */
import { clone } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { type Receipt, ReceiptSchema } from "../../src/client/index.js";

export type FlippedReceipt = { readonly part: string; readonly receipt: Receipt };

/** One receipt per part that a check depends on; `bit` says which bit of each part, from 0. */
export function flippedReceipts(receipt: Receipt, bit: number): readonly FlippedReceipt[] {
  const flipped = (part: string, bytesOf: (of: Receipt) => Uint8Array | undefined) => {
    const copy = clone(ReceiptSchema, receipt);
    flipBit(defined(bytesOf(copy), `a receipt has its ${part}`), bit);
    return { part, receipt: copy };
  };
  const proof = receipt.inclusionProof.length === 0 ? [] : [flipped("proof", firstOfProof)];
  const before =
    receipt.previousHeader.length === 0
      ? []
      : [flipped("previous header", ({ previousHeader }) => previousHeader)];
  return [
    flipped("record hash", ({ recordHash }) => recordHash),
    flipped("seal digest", ({ sealDigest }) => sealDigest),
    flipped("block id", ({ blockId }) => blockId),
    flipped("header", ({ header }) => header),
    ...proof,
    ...before,
    flipped("signature", (of) => of.commitCertificate?.signatures[0]?.signature),
  ];
}

function firstOfProof({ inclusionProof }: Receipt): Uint8Array | undefined {
  return inclusionProof[0];
}

function flipBit(bytes: Uint8Array, bit: number): void {
  const index = Math.floor(bit / 8) % bytes.length;
  bytes[index] = defined(bytes[index], "a part is not empty") ^ (1 << (bit % 8));
}
