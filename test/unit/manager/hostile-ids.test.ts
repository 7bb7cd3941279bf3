/**
 * Ids that are none, wherever a message may bring one. The store takes keys of 1,024 bytes at most,
 * and a key made of anything else might be another one's: so no id becomes a key before it is
 * checked. One message of one manager would stop all others.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type ControlOperation,
  ControlOperationSchema,
  InvitedRole,
  OfficerRole,
} from "../../../src/gen/bss/v1/genesis_pb.js";
import { type VoteRequest, VoteRequestSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { blockId } from "../../../src/ledger/blocks/block-hashes.js";
import { parseRecord } from "../../../src/ledger/records/records.js";
import { parseSubmission } from "../../../src/ledger/records/submissions.js";
import { readKeysOfOperation } from "../../../src/ledger/state/state-operations.js";
import { OperationCheck } from "../../../src/manager/operations/operation-check.js";
import { BlockValidator } from "../../../src/manager/ring/block-validator.js";
import { keyBytesMax } from "../../../src/store/key-value-store.js";
import { Chain } from "../ledger/support/chain.js";
import { consortiumId, epochKey, policy } from "../ledger/support/consortium.js";
import { forge } from "../ledger/support/forge.js";
import { admissionOf, consentTo, participantInvitation } from "../ledger/support/invitations.js";
import {
  documentBytes,
  publicKeyOf,
  readingBytes,
  recordBytes,
  seedOf,
  sessionBytes,
  submissionOf,
  tradeBytes,
} from "../ledger/support/records.js";
import { LedgerWorld } from "./support/ledger-world.js";
import { LoneManager, peer } from "./support/lone-manager.js";

const texts: readonly (readonly [name: string, text: string])[] = [
  ["no characters", ""],
  ["64 characters", "x".repeat(64)],
  ["1,023 characters", "x".repeat(1_023)],
  ["5,000 characters", "x".repeat(5_000)],
  ["U+0000", "meter-1\0"],
  // The low byte of the first character is a "p", and the lower case of the other one a "k".
  ["characters beyond ASCII", "\u0170articipant-1"],
  ["a Kelvin sign", "\u212aeter-1"],
];

const signature = new Uint8Array(64);
const keys = { signingKey: publicKeyOf("storage-9"), tlsSpkiSha256: seedOf("tls of storage-9") };

/** Every kind of operation, with the text wherever it has an id. */
function operationsWith(id: string): readonly ControlOperation[] {
  const meters = { ratedPowerW: 5_000n, intervalS: 900 };
  const joining = (invited: string) =>
    consentTo("home-9", InvitedRole.PARTICIPANT, participantInvitation(invited));
  const operations: readonly ControlOperation["operation"][] = [
    ...([id, "home-9"] as const).map((participantId) => ({
      case: "registerParticipant" as const,
      value: { participantId, agentIds: [id], ...keys, consent: joining(id) },
    })),
    { case: "registerMeter", value: { meterId: id, ownerId: "participant-1", ...meters } },
    { case: "registerMeter", value: { meterId: "meter-9", ownerId: id, ...meters } },
    {
      case: "registerOfficer",
      value: { officerId: id, role: OfficerRole.OPERATOR, managerId: id, ...keys },
    },
    { case: "suspendManager", value: { managerId: id } },
    {
      case: "resumeManager",
      value: { managerId: id, suspendedHeight: 1n, heldHeight: 1n, signature },
    },
    { case: "evidence", value: { managerId: id } },
    { case: "retireStorageNode", value: { nodeId: id, operatorId: id, signature } },
    {
      case: "suspendStorageNode",
      value: { nodeId: id, claims: [{ managerId: id, height: 1n, signature }] },
    },
    {
      case: "returnStorageNode",
      value: { nodeId: id, suspendedHeight: 1n, heldHeight: 1n, signature },
    },
    {
      case: "carryAttestations",
      value: { height: 1n, attestations: [{ nodeId: id, audit: seedOf("audit"), signature }] },
    },
    {
      case: "failAudit",
      value: { nodeId: id, height: 1n, findings: [{ managerId: id, signature }] },
    },
    {
      case: "recordPayout",
      value: { nodeId: id, amount: 1n, operatorId: id, reference: "a", signature },
    },
  ].map((operation) => create(ControlOperationSchema, { operation } as never).operation);
  return [
    admissionOf(id),
    ...operations.map((operation) => create(ControlOperationSchema, { operation })),
  ];
}

/** Every message of the stream of votes that names somebody. */
function messagesWith(id: string): readonly VoteRequest["message"][] {
  const bytes = new TextEncoder().encode(id);
  const [height, place] = [1n, { height: 1n, blockId: bytes }];
  const messages = [
    ...operationsWith(id).map((value) => ({ case: "operation", value })),
    { case: "vote", value: { managerId: id, ...place, signature } },
    { case: "vote", value: { managerId: peer, ...place, signature } },
    { case: "proposal", value: { managerId: id, ...place, signature } },
    { case: "proposal", value: { managerId: peer, ...place, signature } },
    { case: "attestation", value: { nodeId: id, ...place, signature } },
    { case: "attestation", value: { nodeId: "storage-1", ...place, hash2: bytes, signature } },
    { case: "head", value: { managerId: id, ...place, signature } },
    { case: "head", value: { managerId: peer, ...place, hash1: bytes, signature } },
    { case: "evidence", value: { managerId: id } },
    { case: "resume", value: { managerId: id, suspendedHeight: 1n, heldHeight: 1n, signature } },
    { case: "unreachable", value: { nodeId: id, claim: { managerId: peer, height, signature } } },
    { case: "unreachable", value: { nodeId: id, claim: { managerId: id, height, signature } } },
    { case: "finding", value: { nodeId: id, managerId: peer, height, audit: bytes, signature } },
    { case: "fetchBody", value: { blockId: bytes } },
    { case: "fetchEntries", value: { ...place, entries: [0] } },
  ];
  return messages.map((message) => create(VoteRequestSchema, { message } as never).message);
}

describe("what is no id", () => {
  let world: LedgerWorld;
  let node: LoneManager;
  before(async () => {
    world = await LedgerWorld.create();
    node = await LoneManager.start(world);
  });
  after(() => node.manager?.close());

  for (const [name, id] of texts) {
    test(`with ${name}: makes a block wrong, and stops nobody who judges it`, async () => {
      const validator = new BlockValidator({ ...world.ports, epochKey });
      for (const operation of operationsWith(id)) {
        const { block } = new Chain().propose();
        const bad = forge(block, (parts) => {
          parts.control.push(toBinary(ControlOperationSchema, operation));
        });
        const judged = await validator.judge(blockId(bad.block?.header ?? new Uint8Array()), bad);
        const kind = operation.operation.case;
        // Undefined for an operation that is too long for any block.
        assert.ok(judged === undefined || !judged.ok, kind);
      }
    });

    test(`with ${name}: no block could carry such an operation`, async () => {
      const check = new OperationCheck(world.ports);
      for (const operation of operationsWith(id)) {
        assert.ok((await check.problem(operation)) !== undefined, operation.operation.case);
        for (const key of readKeysOfOperation(operation)) assert.ok(key.length <= keyBytesMax);
      }
    });

    test(`with ${name}: does nothing to a manager that another one tells it`, async () => {
      for (const message of messagesWith(id)) await node.hear(message);
      assert.deepEqual(node.fatal, []);
    });

    test(`with ${name}: names no participant and no meter`, async () => {
      assert.equal(await world.store.participant(id), undefined);
      assert.equal(await world.store.meter(id), undefined);
    });

    test(`with ${name}: is in no record and no submission`, () => {
      const rest = { ownerId: id };
      const records = [
        readingBytes({ owner: id }),
        readingBytes({ meter: id }),
        tradeBytes({ seller: id }),
        tradeBytes({ buyer: id }),
        sessionBytes({}, rest),
        documentBytes({}, rest),
        recordBytes(rest),
      ];
      for (const [i, bytes] of records.entries()) {
        const found = parseRecord(consortiumId, bytes, policy);
        assert.ok(!found.ok, `record ${i}`);
        assert.match(found.error.reason, /^RECORD_(MALFORMED|TOO_LARGE)$/);
      }
      const submission = submissionOf([documentBytes()], id);
      const found = parseSubmission(consortiumId, submission, policy);
      assert.ok(!found.ok && found.error.reason === "SUBMISSION_MALFORMED");
    });
  }
});
