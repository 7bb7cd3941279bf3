/** Receipts that hold, and forged ones: whatever can be made without the keys of Q managers. */
import { clone, create, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { concatBytes, emptyBytes, u64be, utf8 } from "../../src/base/bytes.js";
import { domain, sha256, taggedHash } from "../../src/crypto/hash.js";
import { ManagerBlockHeaderSchema, ManagerSignatureSchema } from "../../src/gen/bss/v1/block_pb.js";
import {
  GetReceiptRequestSchema,
  type Receipt,
  ReceiptSchema,
} from "../../src/gen/bss/v1/query_pb.js";
import { blockId } from "../../src/ledger/blocks/block-hashes.js";
import { parseHeader } from "../../src/ledger/blocks/block-parsing.js";
import {
  acceptDigest,
  approveDigest,
  commitDigest,
} from "../../src/ledger/certificates/vote-digests.js";
import { nodeHash } from "../../src/ledger/merkle/nodes.js";
import { recordHash } from "../../src/ledger/records/record-hash.js";
import { getReceipt } from "../../src/query/record-queries.js";
import { ToyLedger } from "../support/toy-ledger.js";
import { accepted } from "../unit/ledger/support/outcome.js";
import { seedOf, sign } from "../unit/ledger/support/records.js";
import { signByCofactor } from "./cofactor.js";
import { type Consortium, former, managerIds, other, own } from "./consortium.js";
import { base64, type ReceiptFacts, type ReceiptItem, type Refused } from "./corpus.js";
import { signWithSmallR } from "./signatures.js";

const recordOf = (i: number) => utf8(`record ${i}`);
const quorum = managerIds.slice(0, 3);

/** A ledger of blocks with 3, 1, 4, 1 and 5 records. */
class Ledger {
  readonly #consortium: Consortium;
  readonly toy: ToyLedger;

  constructor(consortium: Consortium) {
    this.#consortium = consortium;
    const signers = managerIds.map((managerId) => ({ managerId, seed: seedOf(managerId) }));
    this.toy = new ToyLedger(consortium.genesis, signers);
    for (const count of [3, 1, 4, 1, 5]) {
      const from = this.toy.entries.length;
      this.toy.append(Array.from({ length: count }, (_, i) => recordOf(from + i)));
    }
  }

  async receipt(i: number, by: readonly string[] = managerIds, round = 0): Promise<Receipt> {
    const { consortiumId } = this.#consortium.genesis;
    const hash = recordHash(consortiumId, recordOf(i));
    const request = create(GetReceiptRequestSchema, { recordHash: hash });
    const receipt = create(ReceiptSchema, (await getReceipt(this.toy, request)).receipt);
    return this.committed(receipt, { by, round });
  }

  /** The receipt with other signatures under its header. */
  committed(
    receipt: Receipt,
    votes: {
      readonly by?: readonly string[];
      readonly round?: number;
      readonly digest?: Uint8Array;
      readonly keyOf?: (managerId: string) => string;
    } = {},
  ): Receipt {
    const { by = managerIds, round = 0, keyOf = (id: string) => id } = votes;
    const { consortiumId } = this.#consortium.genesis;
    const copy = clone(ReceiptSchema, receipt);
    const certificate = defined(copy.commitCertificate, "a receipt has a certificate");
    const height = Number(copy.height);
    const claim = { consortiumId, height, round, blockId: copy.blockId };
    const digest = votes.digest ?? commitDigest(claim);
    certificate.round = round;
    certificate.signatures = by.map((managerId) =>
      create(ManagerSignatureSchema, { managerId, signature: sign(keyOf(managerId), digest) }),
    );
    return copy;
  }
}

function factsOf(receipt: Receipt): ReceiptFacts {
  const header = accepted(parseHeader(receipt.header));
  const before = receipt.previousHeader;
  return {
    recordHash: base64(receipt.recordHash),
    height: header.height,
    blockId: base64(blockId(receipt.header)),
    timeMs: header.timestampMs,
    position: Number(receipt.position),
    treeSize: header.treeSize,
    previousTreeSize: before.length === 0 ? 0 : accepted(parseHeader(before)).treeSize,
    signers: receipt.commitCertificate?.signatures.map((each) => each.managerId) ?? [],
  };
}

type Change = (receipt: Receipt) => void;

/** A forged receipt: how it is made of a right one, and where it is refused. */
type Forged = readonly [name: string, refused: readonly string[], change: Change];

const flip = (bytes: Uint8Array, at = 0) => {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
};

const certificateOf = (receipt: Receipt) =>
  defined(receipt.commitCertificate, "a receipt has a certificate");

const signaturesOf = (receipt: Receipt) => certificateOf(receipt).signatures;

const signatureOf = (receipt: Receipt, i: number) =>
  defined(signaturesOf(receipt)[i], "it has so many signatures");

/** A field that no message has: number 1000, a varint. */
const unknownField = { no: 1000, wireType: 0, data: Uint8Array.of(1) } as const;

/** The header with a change, and the receipt's own fields as the header then has them. */
function changeHeader(
  receipt: Receipt,
  change: (header: ReturnType<typeof headerOf>) => void,
): void {
  const header = headerOf(receipt.header);
  change(header);
  receipt.header = toBinary(ManagerBlockHeaderSchema, header);
  rename(receipt);
}

/** The block id and its certificate as for the header that the receipt holds now. */
function rename(receipt: Receipt): void {
  receipt.blockId = blockId(receipt.header);
  certificateOf(receipt).blockId = receipt.blockId;
}

function headerOf(bytes: Uint8Array) {
  return clone(ManagerBlockHeaderSchema, accepted(parseHeader(bytes)).header);
}

/** The height of block 3 as its header has it, behind the consortium id. */
const heightField = { from: 34, to: 36 } as const;

function replaced(bytes: Uint8Array, { from, to }: typeof heightField, by: Uint8Array): Uint8Array {
  return concatBytes(bytes.subarray(0, from), by, bytes.subarray(to));
}

/** The group order of Ed25519 added to S: the same point equation, another signature. */
function addGroupOrder(signature: Uint8Array): void {
  const order = Buffer.from(
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
    "hex",
  );
  let carry = 0;
  for (let i = 0; i < 32; i++) {
    const sum = (signature[32 + i] ?? 0) + (order[i] ?? 0) + carry;
    signature[32 + i] = sum & 0xff;
    carry = sum >> 8;
  }
}

/** Changes of the receipt of record 5, in block 3. */
const changes: readonly Forged[] = [
  ["a bit of the record hash", ["inclusion"], (r) => flip(r.recordHash)],
  ["a record hash of 31 bytes", ["record"], (r) => (r.recordHash = r.recordHash.slice(1))],
  ["no record hash", ["encoding", "record"], (r) => (r.recordHash = emptyBytes)],
  ["a bit of the seal digest", ["inclusion"], (r) => flip(r.sealDigest, 31)],
  [
    "a byte moved from the seal digest to the record hash",
    ["record"],
    (r) => {
      r.recordHash = new Uint8Array([...r.recordHash, r.sealDigest[0] ?? 0]);
      r.sealDigest = r.sealDigest.slice(1);
    },
  ],
  [
    "record hash and seal digest exchanged",
    ["inclusion"],
    (r) => ([r.recordHash, r.sealDigest] = [r.sealDigest, r.recordHash]),
  ],
  ["the position beside it", ["inclusion"], (r) => (r.position -= 1n)],
  ["a position beyond the tree", ["inclusion"], (r) => (r.position = 8n)],
  ["a position beyond all numbers", ["inclusion"], (r) => (r.position = 2n ** 64n - 1n)],
  ["a position with a bit above 2^53", ["inclusion"], (r) => (r.position += 2n ** 60n)],
  ["a height more", ["header"], (r) => (r.height += 1n)],
  ["a height with a bit above 2^53", ["header"], (r) => (r.height += 2n ** 60n)],
  ["a millisecond more", ["header"], (r) => (r.timeUnixMs += 1n)],
  ["a negative time", ["header"], (r) => (r.timeUnixMs *= -1n)],
  ["a bit of the block id", ["block-id"], (r) => flip(r.blockId)],
  ["no block id", ["block-id"], (r) => (r.blockId = emptyBytes)],
  ["no header", ["header"], (r) => (r.header = emptyBytes)],
  ["a header without its end", ["header"], (r) => (r.header = r.header.slice(0, -1))],
  [
    "a byte behind the header, and its hash as the block id",
    ["header"],
    (r) => {
      r.header = new Uint8Array([...r.header, 0]);
      rename(r);
    },
  ],
  [
    "a field that no header has, and its hash as the block id",
    ["header"],
    (r) => {
      r.header = new Uint8Array([...r.header, 0xc0, 0x3e, 1]);
      rename(r);
    },
  ],
  [
    "the height twice in the header, and its hash as the block id",
    ["header"],
    (r) => {
      r.header = new Uint8Array([...r.header, 0x10, 3]);
      rename(r);
    },
  ],
  [
    "a number longer than it need be in the header, and its hash as the block id",
    ["header"],
    (r) => {
      r.header = replaced(r.header, heightField, Uint8Array.of(0x10, 0x83, 0));
      rename(r);
    },
  ],
  [
    "a round of 0 written out in the header, and its hash as the block id",
    ["header"],
    (r) => {
      r.header = replaced(r.header, heightField, Uint8Array.of(0x10, 3, 0x20, 0));
      rename(r);
    },
  ],
  [
    "the height first in the header, and its hash as the block id",
    ["header"],
    (r) => {
      r.header = concatBytes(Uint8Array.of(0x10, 3), replaced(r.header, heightField, emptyBytes));
      rename(r);
    },
  ],
  [
    "the hash of its header without a tag as the block id",
    ["block-id"],
    (r) => {
      r.blockId = sha256(r.header);
      certificateOf(r).blockId = r.blockId;
    },
  ],
  [
    "the hash of its header under a storage block's tag as the block id",
    ["block-id"],
    (r) => {
      r.blockId = taggedHash(domain.storageBlock, r.header);
      certificateOf(r).blockId = r.blockId;
    },
  ],
  [
    "its leaf as a record hash, with the prefix of a node",
    ["inclusion"],
    (r) => (r.recordHash = nodeHash(r.recordHash, r.sealDigest)),
  ],
  [
    "a larger tree in the header, and its hash as the block id",
    ["inclusion"],
    (r) => changeHeader(r, (header) => (header.treeSize += 1n)),
  ],
  [
    "a tree of another length of path in the header",
    ["inclusion"],
    (r) => changeHeader(r, (header) => (header.treeSize = 1n << 20n)),
  ],
  [
    "a later time in header and receipt, and its hash as the block id",
    ["signatures"],
    (r) => {
      changeHeader(r, (header) => (header.timestampUnixMs += 1n));
      r.timeUnixMs += 1n;
    },
  ],
  ["no proof", ["inclusion"], (r) => (r.inclusionProof = [])],
  ["a bit of the proof", ["inclusion"], (r) => flip(r.inclusionProof[1] ?? emptyBytes, 9)],
  ["a proof without its end", ["inclusion"], (r) => r.inclusionProof.pop()],
  ["a proof without its beginning", ["inclusion"], (r) => r.inclusionProof.shift()],
  ["a hash more in the proof", ["inclusion"], (r) => r.inclusionProof.push(new Uint8Array(32))],
  ["the proof upside down", ["inclusion"], (r) => r.inclusionProof.reverse()],
  ["the proof twice", ["inclusion"], (r) => r.inclusionProof.push(...r.inclusionProof)],
  [
    "a hash of 33 bytes in the proof",
    ["inclusion"],
    (r) => (r.inclusionProof[0] = new Uint8Array([...(r.inclusionProof[0] ?? []), 0])),
  ],
  [
    "a proof in one piece",
    ["inclusion"],
    (r) => (r.inclusionProof = [Uint8Array.from(r.inclusionProof.flatMap((hash) => [...hash]))]),
  ],
  ["no previous header", ["previous-header"], (r) => (r.previousHeader = emptyBytes)],
  [
    "a bit of the previous header",
    ["previous-header"],
    (r) => flip(r.previousHeader, r.previousHeader.length - 1),
  ],
  ["its own header as the previous one", ["previous-header"], (r) => (r.previousHeader = r.header)],
  ["no certificate", ["commit-certificate"], (r) => delete r.commitCertificate],
  ["no signatures", ["commit-certificate"], (r) => (certificateOf(r).signatures = [])],
  ["two signatures", ["commit-certificate"], (r) => signaturesOf(r).splice(2)],
  [
    "one manager three times",
    ["commit-certificate"],
    (r) => signaturesOf(r).splice(1, 3, signatureOf(r, 0), signatureOf(r, 0)),
  ],
  [
    "one manager twice beside two others",
    ["commit-certificate"],
    (r) => signaturesOf(r).splice(3, 1, signatureOf(r, 2)),
  ],
  [
    "one signature under two names",
    ["signatures"],
    (r) => (signatureOf(r, 1).signature = signatureOf(r, 0).signature),
  ],
  [
    "five signatures of four managers",
    ["commit-certificate"],
    (r) => signaturesOf(r).push(signatureOf(r, 3)),
  ],
  ["managers out of order", ["commit-certificate"], (r) => signaturesOf(r).reverse()],
  [
    "a manager that genesis does not name",
    ["commit-certificate"],
    (r) => (signatureOf(r, 3).managerId = "manager-5"),
  ],
  [
    "a storage node as a manager",
    ["commit-certificate"],
    (r) => (signatureOf(r, 3).managerId = "storage-1"),
  ],
  ["a manager without a name", ["commit-certificate"], (r) => (signatureOf(r, 0).managerId = "")],
  ["a bit of a signature", ["signatures"], (r) => flip(signatureOf(r, 2).signature, 40)],
  [
    "a signature of 63 bytes",
    ["commit-certificate"],
    (r) => (signatureOf(r, 2).signature = signatureOf(r, 2).signature.slice(1)),
  ],
  [
    "a signature of 65 bytes",
    ["commit-certificate"],
    (r) => (signatureOf(r, 2).signature = new Uint8Array([...signatureOf(r, 2).signature, 0])),
  ],
  ["a signature of zeros", ["signatures"], (r) => signatureOf(r, 2).signature.fill(0)],
  [
    "a signature with another S for the same equation",
    ["signatures"],
    (r) => addGroupOrder(signatureOf(r, 0).signature),
  ],
  ["a certificate of another round", ["signatures"], (r) => (certificateOf(r).round = 1)],
  [
    "a certificate of another height",
    ["commit-certificate"],
    (r) => (certificateOf(r).height += 1n),
  ],
  [
    "a certificate of another block",
    ["commit-certificate"],
    (r) => (certificateOf(r).blockId = seedOf("another block")),
  ],
  [
    "a certificate of no block",
    ["commit-certificate"],
    (r) => (certificateOf(r).blockId = emptyBytes),
  ],
  ["an unknown field in the receipt", ["encoding"], (r) => (r.$unknown = [{ ...unknownField }])],
  [
    "an unknown field in the certificate",
    ["encoding", "commit-certificate"],
    (r) => (certificateOf(r).$unknown = [{ ...unknownField }]),
  ],
  [
    "an unknown field in a signature",
    ["encoding", "commit-certificate"],
    (r) => (signatureOf(r, 1).$unknown = [{ ...unknownField }]),
  ],
];

type Rest = { readonly record?: string } & ({ readonly facts: ReceiptFacts } | Refused);

function item(name: string, receipt: Receipt | Uint8Array, rest: Rest): ReceiptItem {
  const bytes = receipt instanceof Uint8Array ? receipt : toBinary(ReceiptSchema, receipt);
  return { kind: "receipt", name, genesis: "own", receipt: base64(bytes), ...rest };
}

export async function receipts(): Promise<readonly ReceiptItem[]> {
  const ledger = new Ledger(own);
  const right = await ledger.receipt(5);
  const changed = changes.map(([name, refused, change]) => {
    const copy = clone(ReceiptSchema, right);
    change(copy);
    return item(name, copy, { refused });
  });
  return [
    ...(await valid(ledger)),
    ...changed,
    ...(await ofOtherPlaces(ledger, right)),
    ...(await ofOtherSigners(ledger, right)),
    ...ofOtherBytes(right),
  ];
}

async function valid(ledger: Ledger): Promise<readonly ReceiptItem[]> {
  const items: ReceiptItem[] = [];
  for (const i of [0, 2, 3, 4, 5, 7, 8, 9, 13]) {
    const receipt = await ledger.receipt(i, i % 2 === 0 ? managerIds : quorum, i % 3);
    items.push(item(`of record ${i}`, receipt, { facts: factsOf(receipt) }));
  }
  const first = await ledger.receipt(5, managerIds.slice(1));
  items.push(item("of other managers", first, { facts: factsOf(first) }));
  const record = base64(recordOf(5));
  items.push(item("with its content", first, { record, facts: factsOf(first) }));
  const boasting = clone(ReceiptSchema, first);
  boasting.confirmations = 1_000_000n;
  boasting.storageAttestations = 4_000_000_000;
  const title = "with confirmations and attestations that nothing proves";
  items.push(item(title, boasting, { facts: factsOf(first) }));
  return items;
}

/** True parts of the ledger, put together wrongly. */
async function ofOtherPlaces(ledger: Ledger, right: Receipt): Promise<readonly ReceiptItem[]> {
  const first = await ledger.receipt(0);
  const before = await ledger.receipt(3);
  const after = await ledger.receipt(8);
  const last = await ledger.receipt(13);
  const early = Number(right.position);
  const later = clone(ReceiptSchema, last);
  later.recordHash = right.recordHash;
  later.sealDigest = right.sealDigest;
  later.position = right.position;
  later.inclusionProof = [...(await ledger.toy.inclusionProof(early, 14))];
  const withParts = (parts: Partial<Receipt>): Receipt =>
    Object.assign(clone(ReceiptSchema, right), parts);
  return [
    item("of a later block, whose tree holds the record too", later, {
      refused: ["previous-header"],
    }),
    item(
      "of a later block, with the previous header of its own",
      Object.assign(clone(ReceiptSchema, later), { previousHeader: right.previousHeader }),
      { refused: ["previous-header"] },
    ),
    item("with the header of a later block", withParts({ header: last.header }), {
      refused: ["header"],
    }),
    item(
      "with header, id and time of the next block",
      withParts({
        header: after.header,
        blockId: after.blockId,
        height: after.height,
        timeUnixMs: after.timeUnixMs,
      }),
      { refused: ["inclusion"] },
    ),
    item(
      "with the certificate of the next block",
      Object.assign(clone(ReceiptSchema, right), { commitCertificate: after.commitCertificate }),
      { refused: ["commit-certificate"] },
    ),
    item(
      "with the previous header of the block before",
      withParts({ previousHeader: before.previousHeader }),
      {
        refused: ["previous-header"],
      },
    ),
    item("with the hash of another record", withParts({ recordHash: before.recordHash }), {
      refused: ["inclusion"],
    }),
    item(
      "of block 1, with a header before it",
      Object.assign(clone(ReceiptSchema, first), { previousHeader: right.previousHeader }),
      { refused: ["previous-header"] },
    ),
    item("held against another content", right, {
      record: base64(recordOf(4)),
      refused: ["record"],
    }),
    item("held against its content with a byte more", right, {
      record: base64(new Uint8Array([...recordOf(5), 0])),
      refused: ["record"],
    }),
  ];
}

/** Signatures that managers have made for something else. */
async function ofOtherSigners(ledger: Ledger, right: Receipt): Promise<readonly ReceiptItem[]> {
  const { consortiumId } = own.genesis;
  const height = Number(right.height);
  const vote = { consortiumId, height, round: 0, blockId: right.blockId };
  const signedAs = (digest: Uint8Array) => ledger.committed(right, { digest });
  const elsewhere = new Ledger(other);
  const formerly = new Ledger(former);
  const keyOf = (id: string) => (id === "manager-4" ? "former manager-4" : id);
  const ofOther = await elsewhere.receipt(5);
  const refused = ["signatures"];
  const ofSmallR = [0, 1, 4].map((index) => {
    const copy = clone(ReceiptSchema, right);
    const signer = signatureOf(copy, 0);
    signer.signature = signWithSmallR(seedOf(signer.managerId), commitDigest(vote), index);
    const equation =
      index === 0 ? "whose equation holds" : "whose equation holds with the cofactor";
    return item(`with a signature of small R, point ${index}, ${equation}`, copy, { refused });
  });
  return [
    ...ofSmallR,
    item("signed as ACCEPT", signedAs(acceptDigest(vote)), { refused }),
    item("signed as APPROVE", signedAs(approveDigest({ ...vote, validRound: -1 })), { refused }),
    item("signed for no block", signedAs(commitDigest({ ...vote, blockId: emptyBytes })), {
      refused,
    }),
    item("signed for another height", signedAs(commitDigest({ ...vote, height: height + 1 })), {
      refused,
    }),
    item("signed without a tag", signedAs(right.blockId), { refused }),
    item("signed for another round", signedAs(commitDigest({ ...vote, round: 1 })), { refused }),
    ...([domain.proposal, domain.attestation, domain.head, domain.verdict] as const).map((tag) => {
      const parts = [consortiumId, u64be(height), right.blockId];
      return item(`signed under the tag ${tag}`, signedAs(taggedHash(tag, ...parts)), { refused });
    }),
    item(
      "signed as libraries take it that multiply by the cofactor",
      signedByCofactor(right, vote),
      {
        refused,
      },
    ),
    item(
      "signed for another consortium",
      signedAs(commitDigest({ ...vote, consortiumId: other.genesis.consortiumId })),
      { refused },
    ),
    item("signed with a key that a manager had before", ledger.committed(right, { keyOf }), {
      refused,
    }),
    item(
      "signed by two managers and a storage node in a manager's name",
      ledger.committed(right, {
        by: quorum,
        keyOf: (id) => (id === "manager-3" ? "storage-3" : id),
      }),
      { refused },
    ),
    item("of another consortium with the same managers", ofOther, { refused: ["header"] }),
    item("of a consortium of which this one is the successor", await formerly.receipt(5), {
      refused: ["header"],
    }),
    item(
      "with the proof of another consortium",
      Object.assign(clone(ReceiptSchema, right), {
        recordHash: ofOther.recordHash,
        inclusionProof: ofOther.inclusionProof,
      }),
      { refused: ["inclusion"] },
    ),
  ];
}

function signedByCofactor(right: Receipt, vote: Parameters<typeof commitDigest>[0]): Receipt {
  const receipt = clone(ReceiptSchema, right);
  const first = signatureOf(receipt, 0);
  first.signature = signByCofactor(seedOf(first.managerId), commitDigest(vote));
  return receipt;
}

/** Bytes that are no receipt, or more than one. */
function ofOtherBytes(right: Receipt): readonly ReceiptItem[] {
  const bytes = toBinary(ReceiptSchema, right);
  const refused = ["encoding"];
  const extra = (...more: readonly number[]) => new Uint8Array([...bytes, ...more]);
  return [
    item("no bytes", emptyBytes, { refused: ["encoding", "record"] }),
    item("without its last byte", bytes.slice(0, -1), { refused }),
    item("half of it", bytes.slice(0, bytes.length >> 1), { refused }),
    item("with a byte behind it", extra(0), { refused }),
    item("with a field behind it that no receipt has", extra(0xc0, 0x3e, 1), { refused }),
    item("with the record hash as a number", new Uint8Array([0x08, 1, ...bytes]), { refused }),
    item("twice", extra(...bytes), { refused: ["inclusion"] }),
    item("with another record hash behind it", extra(0x0a, 32, ...seedOf("another")), {
      refused: ["inclusion"],
    }),
    item("as JSON", utf8("{}"), { refused }),
  ];
}
