/**
 * Chains from genesis on that hold, and forged ones: what a node could send to somebody who follows
 * the chain, to make a storage node's credit or the members look other than they are.
 */
import { clone, create, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { concatBytes, emptyBytes } from "../../src/base/bytes.js";
import { followBlock } from "../../src/consensus/attestation/public-chain.js";
import { sha256 } from "../../src/crypto/hash.js";
import { type BlockCertificates, BlockCertificatesSchema } from "../../src/gen/bss/v1/block_pb.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  InvitationSchema,
  InvitedRole,
} from "../../src/gen/bss/v1/genesis_pb.js";
import { type BlockView, BlockViewSchema } from "../../src/gen/bss/v1/query_pb.js";
import { AttestationVerdict } from "../../src/gen/bss/v1/vote_pb.js";
import { parseBlock } from "../../src/ledger/blocks/block-parsing.js";
import {
  attestationDigest,
  findingDigest,
  payoutDigest,
  registrationDigest,
  resumeDigest,
  retirementDigest,
  returnDigest,
  unreachableDigest,
} from "../../src/ledger/certificates/vote-digests.js";
import { invitationDigest } from "../../src/ledger/members/consent.js";
import { rootOf } from "../../src/ledger/merkle/frontier.js";
import type { StandingChange } from "../../src/ledger/storage-nodes/credit.js";
import { genesisStorageHead } from "../../src/ledger/storage-nodes/storage-head.js";
import { type BlockOptions, type MadeBlock, StorageLedger } from "../support/storage-ledger.js";
import { accepted } from "../unit/ledger/support/outcome.js";
import { publicKeyOf, seedOf, sign, sixteen } from "../unit/ledger/support/records.js";
import { at, commitBy, committedByNode, forgedBlocks, zero } from "./chain-forgeries.js";
import { former, other, own } from "./consortium.js";
import { base64, type ChainFacts, type ChainItem, nameOf, type Refused } from "./corpus.js";

const { consortiumId } = own.genesis;
const witnesses = ["manager-1", "manager-2"] as const;

type Operation = NonNullable<
  Parameters<typeof create<typeof ControlOperationSchema>>[1]
>["operation"];

const operation = (value: NonNullable<Operation>): ControlOperation =>
  create(ControlOperationSchema, { operation: value });

function suspendManager(managerId: string): ControlOperation {
  return operation({ case: "suspendManager", value: { managerId } });
}

function resumeManager(managerId: string, suspendedHeight: number, heldHeight: number) {
  const digest = resumeDigest({ consortiumId, suspendedHeight, heldHeight });
  return operation({
    case: "resumeManager",
    value: {
      managerId,
      suspendedHeight: BigInt(suspendedHeight),
      heldHeight: BigInt(heldHeight),
      signature: sign(managerId, digest),
    },
  });
}

function suspendNode(nodeId: string, height: number): ControlOperation {
  const digest = unreachableDigest({ consortiumId, nodeId, height });
  const claims = witnesses.map((managerId) => {
    return { managerId, height: BigInt(height), signature: sign(managerId, digest) };
  });
  return operation({ case: "suspendStorageNode", value: { nodeId, claims } });
}

function takeBack(nodeId: string, suspendedHeight: number, heldHeight: number): ControlOperation {
  const digest = returnDigest({ consortiumId, nodeId, suspendedHeight, heldHeight });
  return operation({
    case: "returnStorageNode",
    value: {
      nodeId,
      suspendedHeight: BigInt(suspendedHeight),
      heldHeight: BigInt(heldHeight),
      signature: sign(nodeId, digest),
    },
  });
}

function retireNode(nodeId: string): ControlOperation {
  const digest = retirementDigest({ consortiumId, nodeId, admittedHeight: 0 });
  const signature = sign(nodeId, digest);
  return operation({ case: "retireStorageNode", value: { nodeId, signature } });
}

function payOut(nodeId: string, amount: bigint, operatorId: string): ControlOperation {
  const paid = { nodeId, amount, paidBefore: 0n, reference: "transfer 7" };
  const signature = sign(operatorId, payoutDigest({ consortiumId, ...paid }));
  return operation({ case: "recordPayout", value: { ...paid, operatorId, signature } });
}

function failAudit(nodeId: string, height: number, audit: Uint8Array): ControlOperation {
  const digest = findingDigest({ consortiumId, nodeId, height, audit });
  const findings = witnesses.map((managerId) => {
    return { managerId, signature: sign(managerId, digest) };
  });
  return operation({ case: "failAudit", value: { nodeId, height: BigInt(height), findings } });
}

/** Admits a storage node of manager-1 by an invitation whose checkpoint is at a height. */
function admit(nodeId: string, checkpointHeight: number): ControlOperation {
  const invitation = toBinary(
    InvitationSchema,
    create(InvitationSchema, {
      consortiumId,
      invitationId: sixteen(`invitation of ${nodeId}`),
      operatorId: "operator-1",
      role: InvitedRole.STORAGE,
      usesMax: 1,
      expiresAtUnixMs: BigInt(own.genesis.timestampMs + 3_600_000),
      bearerKey: publicKeyOf("bearer"),
      checkpoint: {
        height: BigInt(checkpointHeight),
        blockId: consortiumId,
        membersDigest: seedOf("members"),
      },
    }),
  );
  const keys = { signingKey: publicKeyOf(nodeId), tlsSpkiSha256: seedOf(`tls of ${nodeId}`) };
  const digest = registrationDigest({
    consortiumId,
    invitationDigest: sha256(invitation),
    role: InvitedRole.STORAGE,
    memberId: nodeId,
    ...keys,
  });
  const consent = {
    invitation,
    invitationSignature: sign("operator-1", invitationDigest(invitation)),
    possessionSignature: sign(nodeId, digest),
    bearerSignature: sign("bearer", digest),
  };
  const value = { nodeId, sponsorId: "manager-1", ...keys, consent };
  return operation({ case: "admitStorageNode", value });
}

/** An attestation of a block that its certificate does not name. */
function carry({ facts }: MadeBlock, nodeId: string, isMatch: boolean): ControlOperation {
  const { height, blockId: id, hash1, treeSize } = facts;
  const hash2 = isMatch ? hash1 : seedOf("another root");
  const verdict = isMatch ? AttestationVerdict.MATCH : AttestationVerdict.MISMATCH;
  const audit = seedOf(`audit of ${nodeId}`);
  const claim = { consortiumId, height, round: 0, blockId: id, hash2, treeSize, verdict, audit };
  const attestation = {
    nodeId,
    audit,
    signature: sign(nodeId, attestationDigest(claim)),
    ...(isMatch ? {} : { mismatch: { hash2, treeSize: BigInt(treeSize) } }),
  };
  const value = { height: BigInt(height), round: 0, attestations: [attestation] };
  return operation({ case: "carryAttestations", value });
}

/** The certificates of a block without the attestation of the committee's last member, by id. */
function withoutLast({ certificates }: MadeBlock): BlockCertificates {
  const copy = clone(BlockCertificatesSchema, certificates);
  copy.integrity?.signatures.pop();
  return copy;
}

/** Who is not named then. */
function lastOf({ certificates }: MadeBlock): string {
  return defined(certificates.integrity?.signatures.at(-1), "the committee attested").nodeId;
}

/** Twenty blocks in which everything happens that moves a standing. */
function eventful(): StorageLedger {
  const ledger = new StorageLedger(own.genesis, sign);
  const extend = (options: BlockOptions = {}) => ledger.extend(options);
  const first = extend({ records: 3 });
  const second = extend({ previous: withoutLast(first) });
  extend({ previous: withoutLast(second), control: [carry(first, lastOf(first), true)] });
  const fourth = extend({ control: [suspendManager("manager-4")] });
  extend({ previous: withoutLast(fourth), control: [carry(second, lastOf(second), false)] });
  extend({ records: 0, control: [suspendNode("storage-7", 5)] });
  extend({ control: [resumeManager("manager-4", 4, 6)] });
  const audited = ledger.head.members.openCommittees.flatMap(({ height, audited: drawn }) =>
    drawn.map((each) => ({ ...each, height })),
  );
  const { nodeId, height, audit } = defined(audited.at(-1), "somebody is audited");
  extend({ control: [failAudit(nodeId, height, audit)] });
  extend({ control: [takeBack("storage-7", 6, 8)] });
  extend({ control: [payOut("storage-1", 500n, "operator-1")] });
  extend({ control: [retireNode("storage-2"), admit("storage-8", 10)] });
  for (let i = 12; i <= 20; i++) extend({ records: i % 3, createdRound: i % 2 });
  return ledger;
}

function viewOf({ block, certificates, parsed }: MadeBlock): BlockView {
  const { height, blockId: id } = parsed;
  return create(BlockViewSchema, { block, certificates, height: BigInt(height), blockId: id });
}

/** What a chain proves, as a storage node computes it. */
function factsOf(views: readonly BlockView[]): ChainFacts {
  let head = genesisStorageHead(own.genesis);
  const changes: StandingChange[] = [];
  const operations: string[] = [];
  for (const view of views) {
    const made = parsedBlock(view);
    const context = { consortiumId, policy: own.genesis.policy, head };
    const followed = followBlock(
      made,
      defined(view.certificates, "a view has certificates"),
      context,
      (change) => changes.push(change),
    );
    head = accepted(followed).head;
    operations.push(...made.control.map(nameOf));
  }
  const { members, frontier, height, managerBlockId } = head;
  return {
    height,
    blockId: base64(managerBlockId),
    treeSize: frontier.size,
    root: base64(rootOf(frontier)),
    operations,
    nodes: members.storageNodes.map(({ nodeId: id, credit, reward, paid }) => ({
      id,
      credit,
      reward: String(reward),
      paid: String(paid),
      changes: changes.filter((each) => each.nodeId === id).map(({ kind }) => kind),
    })),
  };
}

const parsedBlock = (view: BlockView) =>
  accepted(parseBlock(defined(view.block, "a view has a block")));

type Rest = { readonly after?: number } & ({ readonly facts: ChainFacts } | Refused);

function item(name: string, views: readonly (BlockView | Uint8Array)[], rest: Rest): ChainItem {
  const blocks = views.map((view) =>
    base64(view instanceof Uint8Array ? view : toBinary(BlockViewSchema, view)),
  );
  return { kind: "chain", name, genesis: "own", blocks, ...rest };
}

/** Manager-4 had another key then. */
const signAsFormer = (id: string, digest: Uint8Array) =>
  sign(id === "manager-4" ? "former manager-4" : id, digest);

export function chains(): readonly ChainItem[] {
  const views = eventful().appended.map(viewOf);
  const changed = forgedBlocks.map(([name, height, refused, change]) => {
    const last = clone(BlockViewSchema, at(views, height));
    change(last, views);
    return item(name, [last], { after: height - 1, refused });
  });
  const elsewhere = new StorageLedger(other.genesis, sign);
  const foreign = viewOf(elsewhere.extend({ records: 3 }));
  const committed = clone(BlockViewSchema, at(views, 5));
  commitBy(committed, ["manager-2", "manager-3", "manager-4"]);
  const before = new StorageLedger(former.genesis, signAsFormer);
  const ofFormer = viewOf(before.extend({ records: 3 }));
  const bytes = toBinary(BlockViewSchema, at(views, 3));
  return [
    item("twenty blocks", views, { facts: factsOf(views) }),
    item("a block that a suspended manager has committed, as it may", [committed], {
      after: 4,
      facts: factsOf([...views.slice(0, 4), committed]),
    }),
    item("a block that a storage node has committed", [committedByNode(at(views, 5))], {
      after: 4,
      refused: ["commit-certificate"],
    }),
    ...changed,
    item("a block left out", [at(views, 5)], { after: 3, refused: ["header"] }),
    item("a block twice", [at(views, 3)], { after: 3, refused: ["header"] }),
    item("a block of another consortium", [foreign], { refused: ["header"] }),
    item("a block of a consortium of which this one is the successor", [ofFormer], {
      refused: ["header"],
    }),
    item("no bytes", [emptyBytes], { after: 2, refused: ["encoding"] }),
    item("a block without its last byte", [bytes.slice(0, -1)], {
      after: 2,
      refused: ["encoding"],
    }),
    item("half a block", [bytes.slice(0, bytes.length >> 1)], { after: 2, refused: ["encoding"] }),
    item("a block with a byte behind it", [concatBytes(bytes, zero)], {
      after: 2,
      refused: ["encoding"],
    }),
  ];
}
