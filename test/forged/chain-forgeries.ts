/**
 * What a node could make of a block of the chain, without the keys of Q managers or with the
 * signatures of all of them under what does not follow.
 */
import { clone, fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert, defined } from "../../src/base/assert.js";
import { concatBytes, emptyBytes } from "../../src/base/bytes.js";
import {
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
  ManagerBlockHeaderSchema,
} from "../../src/gen/bss/v1/block_pb.js";
import { type ControlOperation, ControlOperationSchema } from "../../src/gen/bss/v1/genesis_pb.js";
import { type BlockView, BlockViewSchema } from "../../src/gen/bss/v1/query_pb.js";
import { AttestationVerdict } from "../../src/gen/bss/v1/vote_pb.js";
import {
  blockId,
  bodyDigest,
  certificatesDigest,
  controlRoot,
  leavesRoot,
} from "../../src/ledger/blocks/block-hashes.js";
import { parseHeader } from "../../src/ledger/blocks/block-parsing.js";
import {
  acceptDigest,
  approveDigest,
  attestationDigest,
  commitDigest,
} from "../../src/ledger/certificates/vote-digests.js";
import { accepted } from "../unit/ledger/support/outcome.js";
import { publicKeyOf, seedOf, sign } from "../unit/ledger/support/records.js";
import { other, own } from "./consortium.js";
import { signWithSmallR } from "./signatures.js";

const { consortiumId } = own.genesis;

type Change = (view: BlockView, views: readonly BlockView[]) => void;
type Forged = readonly [name: string, height: number, refused: readonly string[], change: Change];

const blockOf = (view: BlockView) => defined(view.block, "a view has a block");
const commitOf = (view: BlockView) =>
  defined(view.certificates?.commit, "a view has a commit certificate");

/** The header with a change, named and signed anew by those managers whose keys a forger has. */
function changeHeader(
  view: BlockView,
  change: (header: ReturnType<typeof headerOf>) => void,
  by: readonly string[],
): void {
  changeHeaderBytes(
    view,
    (bytes) => {
      const header = headerOf(bytes);
      change(header);
      return toBinary(ManagerBlockHeaderSchema, header);
    },
    by,
  );
}

function changeHeaderBytes(
  view: BlockView,
  change: (header: Uint8Array) => Uint8Array,
  by: readonly string[],
): void {
  const block = blockOf(view);
  block.header = change(block.header);
  view.blockId = blockId(block.header);
  const commit = commitOf(view);
  commit.blockId = view.blockId;
  const digest = commitDigest(voteOf(view));
  for (const signature of commit.signatures) {
    if (by.includes(signature.managerId)) signature.signature = sign(signature.managerId, digest);
  }
  if (by === everybody) approve(view);
}

/** The signatures of managers and committee on which their decision rests, anew. */
function approve({ block, blockId: id, certificates }: BlockView): void {
  const parsed = parseHeader(defined(block, "a view has a block").header);
  if (!parsed.ok || certificates?.approval === undefined) return;
  const { approval, integrity } = certificates;
  const { height, hash1, treeSize } = parsed.value.header;
  approval.blockId = id;
  const place = { consortiumId, height: Number(height), blockId: id };
  for (const each of approval.signatures) {
    each.signature = sign(each.managerId, acceptDigest(place));
  }
  if (integrity === undefined) return;
  integrity.blockId = id;
  integrity.hash2 = hash1;
  integrity.treeSize = treeSize;
  const size = Number(treeSize);
  const verdict = AttestationVerdict.MATCH;
  const claim = { ...place, round: integrity.round, hash2: hash1, treeSize: size, verdict };
  for (const each of integrity.signatures) {
    const { nodeId, audit } = each;
    each.signature = sign(nodeId, attestationDigest({ ...claim, audit }));
  }
}

/** Signatures of others under the block, each with its own key. */
export function commitBy(view: BlockView, signers: readonly string[]): void {
  const digest = commitDigest(voteOf(view));
  for (const [i, managerId] of signers.entries()) {
    const signature = defined(commitOf(view).signatures[i], "three signed");
    signature.managerId = managerId;
    signature.signature = sign(managerId, digest);
  }
}

export function committedByNode(view: BlockView): BlockView {
  const copy = clone(BlockViewSchema, view);
  commitBy(copy, ["manager-1", "manager-2", "storage-1"]);
  return copy;
}

function headerOf(bytes: Uint8Array) {
  return clone(ManagerBlockHeaderSchema, accepted(parseHeader(bytes)).header);
}

const everybody = ["manager-1", "manager-2", "manager-3", "manager-4"];
const liar = ["manager-1"];

export const forgedBlocks: readonly Forged[] = [
  ["no block", 3, ["encoding"], (view) => delete view.block],
  ["no certificates", 3, ["commit-certificate"], (view) => delete view.certificates],
  ["another height in the view", 3, ["block-id"], (view) => (view.height += 1n)],
  ["another id in the view", 3, ["block-id"], (view) => (view.blockId = seedOf("id"))],
  ["a leaf less", 3, ["body"], (view) => blockOf(view).leaves.pop()],
  ["a leaf twice", 3, ["body"], (view) => blockOf(view).leaves.push(...blockOf(view).leaves)],
  ["leaves in another order", 3, ["body"], (view) => blockOf(view).leaves.reverse()],
  ["an operation less", 4, ["body"], (view) => blockOf(view).control.pop()],
  [
    "an operation of an earlier block again",
    12,
    ["body"],
    (view, views) => blockOf(view).control.push(...blockOf(at(views, 10)).control),
  ],
  ["another private root", 3, ["body"], (view) => (blockOf(view).privateRoot = seedOf("root"))],
  [
    "the certificates of the block before without one attestation",
    3,
    ["body"],
    (view, views) =>
      (blockOf(view).previousCertificates = toBinary(
        BlockCertificatesSchema,
        defined(at(views, 2).certificates, "a view has certificates"),
      )),
  ],
  [
    "no certificates of the block before",
    3,
    ["body"],
    (view) => (blockOf(view).previousCertificates = emptyBytes),
  ],
  [
    "an unknown field in the block",
    3,
    ["encoding"],
    (view) => (blockOf(view).$unknown = [{ no: 1000, wireType: 0, data: Uint8Array.of(1) }]),
  ],
  ["a signature less than Q", 3, ["commit-certificate"], (view) => commitOf(view).signatures.pop()],
  [
    "a manager twice",
    3,
    ["commit-certificate"],
    (view) =>
      (commitOf(view).signatures[1] = defined(commitOf(view).signatures[0], "three signed")),
  ],
  [
    "a storage node among the managers",
    3,
    ["commit-certificate"],
    (view) => (defined(commitOf(view).signatures[2], "three signed").managerId = "storage-1"),
  ],
  ["a certificate of another round", 3, ["signatures"], (view) => (commitOf(view).round += 1)],
  [
    "other members, signed by one manager",
    3,
    ["signatures"],
    (view) => changeHeader(view, (header) => (header.membersDigest = seedOf("members")), liar),
  ],
  [
    "other members, signed by all",
    3,
    ["members"],
    (view) => changeHeader(view, (header) => (header.membersDigest = seedOf("members")), everybody),
  ],
  [
    "the members before a suspension, signed by all",
    4,
    ["members"],
    (view, views) =>
      changeHeader(
        view,
        (header) => (header.membersDigest = headerOf(blockOf(at(views, 3)).header).membersDigest),
        everybody,
      ),
  ],
  [
    "another block before it, signed by all",
    3,
    ["header"],
    (view) => changeHeader(view, (header) => (header.previousBlockId = seedOf("id")), everybody),
  ],
  [
    "a time before its parent's, signed by all",
    3,
    ["header"],
    (view) => changeHeader(view, (header) => (header.timestampUnixMs -= 5_000n), everybody),
  ],
  [
    "another root, signed by all",
    3,
    ["log"],
    (view) => changeHeader(view, (header) => (header.hash1 = seedOf("root")), everybody),
  ],
  [
    "a larger tree, signed by all",
    3,
    ["log"],
    (view) => changeHeader(view, (header) => (header.treeSize += 1n), everybody),
  ],
  [
    "more stored bytes, signed by all",
    3,
    ["members"],
    (view) => changeHeader(view, (header) => (header.sealedBytes += 1n << 30n), everybody),
  ],
  [
    "another beacon, signed by all",
    3,
    ["members"],
    (view) =>
      changeHeader(view, (header) => (header.beacon = new Uint8Array(64).fill(9)), everybody),
  ],
  [
    "another consortium, signed by all",
    3,
    ["header"],
    (view) =>
      changeHeader(view, (header) => (header.consortiumId = other.genesis.consortiumId), everybody),
  ],
  [
    "the height of the next block, signed by all",
    3,
    ["header", "block-id"],
    (view) => changeHeader(view, (header) => (header.height += 1n), everybody),
  ],
  ["two operations in another order", 11, ["body"], (view) => blockOf(view).control.reverse()],
  [
    "two operations in another order, signed by one manager",
    11,
    ["signatures"],
    (view) => changeBody(view, (block) => block.control.reverse(), liar),
  ],
  [
    "a retirement left out, signed by one manager",
    11,
    ["signatures"],
    (view) => changeBody(view, (block) => block.control.shift(), liar),
  ],
  [
    "a retirement left out, signed by all",
    11,
    ["members"],
    (view) => changeBody(view, (block) => block.control.shift(), everybody),
  ],
  [
    "a suspension left out, signed by all",
    6,
    ["members"],
    (view) => changeBody(view, (block) => block.control.pop(), everybody),
  ],
  [
    "a registration with another key, signed by one manager",
    11,
    ["signatures"],
    (view) => changeBody(view, (block) => forgeRegistration(block, "signingKey"), liar),
  ],
  [
    "a registration with another key, signed by all",
    11,
    ["members"],
    (view) => changeBody(view, (block) => forgeRegistration(block, "signingKey"), everybody),
  ],
  [
    "a registration with another key of TLS, signed by all",
    11,
    ["members"],
    (view) => changeBody(view, (block) => forgeRegistration(block, "tlsSpkiSha256"), everybody),
  ],
  [
    "a payout of another amount, signed by all",
    10,
    ["members"],
    (view) => changeBody(view, raisePayout, everybody),
  ],
  [
    "a byte behind an operation, signed by all",
    4,
    ["encoding", "body", "members"],
    (view) =>
      changeBody(
        view,
        ({ control }) => (control[0] = concatBytes(control[0] ?? emptyBytes, unknownField)),
        everybody,
      ),
  ],
  [
    "an operation without a kind, signed by all",
    4,
    ["encoding", "body", "members"],
    (view) => changeBody(view, ({ control }) => control.push(emptyBytes), everybody),
  ],
  [
    "the attestations of the block before, without those of one node, signed by all",
    3,
    ["members"],
    (view) =>
      changeBody(
        view,
        (block) => changePrevious(block, ({ integrity }) => integrity?.signatures.pop()),
        everybody,
      ),
  ],
  [
    "the integrity certificate of the block before left out, signed by all",
    3,
    ["body", "members"],
    (view) =>
      changeBody(
        view,
        (block) => changePrevious(block, (certificates) => delete certificates.integrity),
        everybody,
      ),
  ],
  [
    "an unknown field in the certificates of the block before, signed by all",
    3,
    ["body", "encoding"],
    (view) =>
      changeBody(
        view,
        (block) =>
          (block.previousCertificates = concatBytes(block.previousCertificates, unknownField)),
        everybody,
      ),
  ],
  [
    "an unknown field in the header, signed by all",
    3,
    ["header", "encoding"],
    (view) => changeHeaderBytes(view, (header) => concatBytes(header, unknownField), everybody),
  ],
  [
    "a byte behind the header, signed by all",
    3,
    ["header", "encoding"],
    (view) => changeHeaderBytes(view, (header) => concatBytes(header, zero), everybody),
  ],
  [
    "a header without its last byte, signed by all",
    3,
    ["header", "encoding"],
    (view) => changeHeaderBytes(view, (header) => header.slice(0, -1), everybody),
  ],
  [
    "a leaf whose record hash has 31 bytes, signed by all",
    3,
    ["body", "encoding"],
    (view) => changeBody(view, shortenRecordHash, everybody),
  ],
  [
    "a private root of 31 bytes, signed by all",
    3,
    ["body", "encoding"],
    (view) =>
      changeBody(view, (block) => (block.privateRoot = block.privateRoot.slice(1)), everybody),
  ],
  [
    "a certificate of another block",
    3,
    ["commit-certificate"],
    (view) => (commitOf(view).blockId = seedOf("another block")),
  ],
  [
    "a certificate of another height",
    3,
    ["commit-certificate"],
    (view) => (commitOf(view).height += 1n),
  ],
  [
    "managers out of order",
    3,
    ["commit-certificate"],
    (view) => commitOf(view).signatures.reverse(),
  ],
  [
    "a signature of 65 bytes",
    3,
    ["commit-certificate"],
    (view) =>
      (firstOf(commitOf(view).signatures).signature = concatBytes(
        firstOf(commitOf(view).signatures).signature,
        zero,
      )),
  ],
  [
    "an unknown field in the certificate",
    3,
    ["commit-certificate", "encoding"],
    (view) => (commitOf(view).$unknown = [{ no: 1000, wireType: 0, data: Uint8Array.of(1) }]),
  ],
  ["signed as ACCEPT", 3, ["signatures"], (view) => commitAs(view, acceptDigest)],
  [
    "signed as APPROVE",
    3,
    ["signatures"],
    (view) => commitAs(view, (vote) => approveDigest({ ...vote, validRound: -1 })),
  ],
  [
    "signed for another height",
    3,
    ["signatures"],
    (view) => commitAs(view, (vote) => commitDigest({ ...vote, height: vote.height + 1 })),
  ],
  [
    "signed for another consortium",
    3,
    ["signatures"],
    (view) =>
      commitAs(view, (vote) => commitDigest({ ...vote, consortiumId: other.genesis.consortiumId })),
  ],
  [
    "signed with keys that the managers do not have",
    3,
    ["signatures"],
    (view) => commitAs(view, commitDigest, (id) => `former ${id}`),
  ],
  [
    "a signature of small R whose equation holds",
    3,
    ["signatures"],
    (view) => {
      const signer = firstOf(commitOf(view).signatures);
      signer.signature = signWithSmallR(seedOf(signer.managerId), commitDigest(voteOf(view)), 0);
    },
  ],
];

export const zero = Uint8Array.of(0);
/** Number 1000, which no message has, as a varint. */
const unknownField = Uint8Array.of(0xc0, 0x3e, 1);

function firstOf<T>(items: readonly T[]): T {
  return defined(items[0], "there is one");
}

function voteOf(view: BlockView) {
  const { blockId: id, round } = commitOf(view);
  return { consortiumId, height: Number(view.height), round, blockId: id };
}

/** The managers' signatures over something else, or with other keys. */
function commitAs(
  view: BlockView,
  digestOf: (vote: ReturnType<typeof voteOf>) => Uint8Array,
  keyOf = (managerId: string) => managerId,
): void {
  const digest = digestOf(voteOf(view));
  for (const each of commitOf(view).signatures) {
    each.signature = sign(keyOf(each.managerId), digest);
  }
}

/** The block with a change, in a header that has its digests, signed anew. */
function changeBody(view: BlockView, change: (block: Block) => void, by: readonly string[]): void {
  const block = blockOf(view);
  change(block);
  const { control, leaves, privateRoot, previousCertificates } = block;
  const roots = { controlRoot: controlRoot(control), leavesRoot: leavesRoot(leaves), privateRoot };
  changeHeader(
    view,
    (header) => {
      header.bodyDigest = bodyDigest(roots);
      header.certificatesDigest = certificatesDigest(previousCertificates);
    },
    by,
  );
}

function changePrevious(block: Block, change: (certificates: BlockCertificates) => void): void {
  const certificates = fromBinary(BlockCertificatesSchema, block.previousCertificates);
  change(certificates);
  block.previousCertificates = toBinary(BlockCertificatesSchema, certificates);
}

function changeOperation(
  block: Block,
  index: number,
  change: (of: ControlOperation) => void,
): void {
  const bytes = defined(block.control[index], "it has so many operations");
  const changed = fromBinary(ControlOperationSchema, bytes);
  change(changed);
  block.control[index] = toBinary(ControlOperationSchema, changed);
}

function forgeRegistration(block: Block, member: "signingKey" | "tlsSpkiSha256"): void {
  changeOperation(block, 1, ({ operation }) => {
    assert(operation.case === "admitStorageNode", "the second operation admits a node");
    operation.value[member] = member === "signingKey" ? publicKeyOf("forger") : seedOf("forger");
  });
}

function raisePayout(block: Block): void {
  changeOperation(block, 0, ({ operation }) => {
    assert(operation.case === "recordPayout", "the first operation records a payout");
    operation.value.amount += 1n;
  });
}

function shortenRecordHash(block: Block): void {
  const leaf = firstOf(block.leaves);
  leaf.recordHash = leaf.recordHash.slice(1);
}

export function at(views: readonly BlockView[], height: number): BlockView {
  return defined(views[height - 1], "the chain has the block");
}
