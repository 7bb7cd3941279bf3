import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { systemTime } from "../../src/base/time.js";
import { serviceRank } from "../../src/consensus/attestation/links.js";
import type {
  VerifyIntegrityRequest,
  VerifyIntegrityResponseSchema,
} from "../../src/gen/bss/v1/verify_integrity_pb.js";
import { drawCommittee } from "../../src/ledger/certificates/committee.js";
import { CandidateBlocks } from "../../src/manager/ring/candidate-blocks.js";
import { StorageLinks } from "../../src/manager/storage-nodes/storage-links.js";
import { Chain, certify } from "../unit/ledger/support/chain.js";
import { genesis, managerIds, policy, storageIds } from "../unit/ledger/support/consortium.js";
import { documentBytes, submitted } from "../unit/ledger/support/records.js";
import { FakeStream } from "../unit/manager/support/fake-stream.js";
import { FakeTimers } from "../unit/manager/support/fake-timers.js";
import { accept } from "../unit/manager/support/votes.js";

type Down = MessageInitShape<typeof VerifyIntegrityResponseSchema>;

const standInMs = 400;
const { block, executed } = new Chain().propose({
  candidates: [submitted([documentBytes()])],
});
const { facts } = executed;
const committee = drawCommittee({ eligible: facts.eligible, beacon: facts.beacon, round: 0 });
const task = {
  kind: "verify-integrity",
  height: 1,
  round: 0,
  blockId: facts.blockId,
  committee,
  accepts: facts.requiredAccepts.map((id) => accept(id, facts)),
} as const;

for (const withholder of managerIds) {
  describe(`${withholder} sends nothing to the storage nodes of which it is the home`, () => {
    const timers = new FakeTimers();
    let managers: StorageLinks[];
    let streams: Map<string, FakeStream<VerifyIntegrityRequest, Down>[]>;
    const others = managerIds.filter((id) => id !== withholder);
    const isItsHome = (nodeId: string) => serviceRank(nodeId, 1, managerIds, withholder) === 0;
    const sentTo = (nodeId: string) =>
      (streams.get(nodeId) ?? []).flatMap(({ written }) => written.map((each) => each.message));

    beforeEach(() => {
      timers.install();
      streams = new Map();
      managers = others.map((selfId) => {
        const candidates = new CandidateBlocks({ isBoundTo: () => false });
        candidates.add(1, block, executed);
        const links = new StorageLinks(
          {
            selfId,
            policy,
            members: () => genesis.members,
            time: systemTime,
            store: { head: new Chain().head, headCertificates: undefined },
            observer: {
              dropped: () => assert.fail("nothing is dropped"),
              storageDoubled: () => assert.fail("nobody runs twice"),
              storageHalted: () => assert.fail("nobody halts"),
              storageLinks: () => {},
            },
          },
          candidates,
        );
        for (const nodeId of storageIds) {
          const stream = new FakeStream<VerifyIntegrityRequest, Down>();
          streams.set(nodeId, [...(streams.get(nodeId) ?? []), stream]);
          links.open(nodeId, stream, "127.0.0.1:1");
        }
        return links;
      });
    });

    afterEach(() => {
      for (const links of managers) links.close();
      timers.restore();
    });

    test("yet the committee has the candidate, its own after one stand-in's wait", () => {
      for (const links of managers) links.verify(task);
      for (const nodeId of committee) {
        assert.equal(sentTo(nodeId).length, isItsHome(nodeId) ? 0 : 1, nodeId);
      }
      timers.tick(standInMs);
      for (const nodeId of committee) {
        assert.ok(
          sentTo(nodeId).some((message) => message?.case === "verify"),
          nodeId,
        );
      }
    });

    test("yet every node learns that the block is final, its own after one stand-in's wait", () => {
      const appended = { block, executed, certificates: certify(facts) };
      for (const links of managers) links.onAppended(appended, false);
      timers.tick(standInMs);
      for (const nodeId of storageIds) {
        assert.ok(
          sentTo(nodeId).some((message) => message?.case === "commit"),
          nodeId,
        );
      }
    });
  });
}
