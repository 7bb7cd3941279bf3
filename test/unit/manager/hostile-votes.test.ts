/** What a manager with a valid key may try on a stream of votes, beyond a wrong signature. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { RingEvent } from "../../../src/consensus/ring/events.js";
import { type LockCertificate, LockCertificateSchema } from "../../../src/gen/bss/v1/block_pb.js";
import type { BlockFacts } from "../../../src/ledger/blocks/block-facts.js";
import {
  buildApproval,
  buildIntegrity,
  buildPolka,
} from "../../../src/ledger/certificates/certificate-builders.js";
import type { PeerReceiver } from "../../../src/manager/peers/peer-receiver.js";
import { Chain } from "../ledger/support/chain.js";
import { genesis, managerIds } from "../ledger/support/consortium.js";
import { documentBytes, submitted } from "../ledger/support/records.js";
import { receiverOf } from "./support/receiver.js";
import { accept, approve, attestations, proposal } from "./support/votes.js";

const { block, executed } = new Chain().propose({ candidates: [submitted([documentBytes()])] });
const { facts } = executed;
const attacker = genesis.members.proposer(1, 4);

function lockCertificate({ height, blockId }: Pick<BlockFacts, "height" | "blockId"> = facts) {
  const place = { ...facts, height, blockId };
  const integrity = { round: 0, hash2: facts.hash1, matches: attestations(place) };
  return create(LockCertificateSchema, {
    polka: buildPolka(managerIds.slice(0, 3).map((id) => approve(id, place))),
    approval: buildApproval(facts.requiredAccepts.map((id) => accept(id, place))),
    integrity: buildIntegrity(integrity),
  });
}

describe("a hostile manager's votes", () => {
  let posted: RingEvent[];
  let dropped: string[];
  let inbound: PeerReceiver;

  beforeEach(() => {
    posted = [];
    dropped = [];
    inbound = receiverOf({
      selfId: "manager-9",
      dropped: (_, reason) => dropped.push(reason),
      ring: { height: 1 },
      inbox: { post: (event) => posted.push(event) },
    });
  });

  const propose = (certificate: LockCertificate) => {
    const value = { ...proposal(attacker, facts, 4, 0), lockCertificate: certificate };
    return inbound.take(attacker, { case: "proposal", value });
  };

  for (const [what, pad] of [
    ["approvals", (to: LockCertificate) => to.polka?.approvals],
    ["acceptances", (to: LockCertificate) => to.approval?.signatures],
    ["attestations", (to: LockCertificate) => to.integrity?.signatures],
  ] as const) {
    for (const copies of [10, 100_001]) {
      test(`cannot hide forged signatures in a certificate of ${copies} ${what}`, async () => {
        const certificate = lockCertificate();
        const entries = pad(certificate) as { signature: Uint8Array }[];
        const [first] = entries;
        assert.ok(first);
        const forged = { ...first, signature: new Uint8Array(64) };
        while (entries.length < copies) entries.push(forged);
        await propose(certificate);
        await inbound.take(attacker, { case: "lockCertificate", value: certificate });
        assert.deepEqual(posted, []);
        assert.deepEqual(dropped, ["CERTIFICATE_INVALID", "CERTIFICATE_INVALID"]);
      });
    }
  }

  test("make nobody hold the bodies of blocks in a queue", async () => {
    const value = { ...proposal(attacker, facts, 4), block };
    await inbound.take(attacker, { case: "proposal", value });
    const [event] = posted;
    assert.ok(event?.kind === "proposal");
    assert.equal(event.proposal.block, undefined);
  });
});
