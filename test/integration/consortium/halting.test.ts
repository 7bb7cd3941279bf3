/**
 * Real managers that learn that the managers do not hold one chain. More than f keys are in wrong
 * hands here: the test signs with those of three managers.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type BssClient, RpcError } from "../../../src/client/index.js";
import { readManagerKeys } from "../../../src/config/key-files.js";
import { loadNodeConfig } from "../../../src/config/node-config.js";
import { ed25519Signer } from "../../../src/crypto/ed25519.js";
import {
  type CommitCertificate,
  CommitCertificateSchema,
} from "../../../src/gen/bss/v1/block_pb.js";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import {
  ForkProofSchema,
  SignedHeadSchema,
  type VoteRequest,
  VoteService,
} from "../../../src/gen/bss/v1/vote_pb.js";
import { commitDigest, headDigest } from "../../../src/ledger/certificates/vote-digests.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { LiveConsortium, poll, suiteTimeoutMs } from "../../support/live-consortium.js";
import { noteOf } from "../../support/notes.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const managerIds = ["manager-1", "manager-2", "manager-3", "manager-4"] as const;
const stolen = managerIds.slice(1);

describe("a consortium in which three managers are not honest", { timeout: suiteTimeoutMs }, () => {
  let consortium: LiveConsortium;
  let client: BssClient;

  after(() => consortium?.close());
  const parent = temporaryDirectory();

  before(async () => {
    const sizes = { managers: 4, storage: 1, participants: 1 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes);
    client = await consortium.client("participant-1", ["manager-1"]);
    const { blocks } = await client.submit(client.sign([noteOf("participant-1", "a note")]));
    await consortium.agreeOn(Number(blocks[0]?.height));
  });

  const signAs = (id: string, digest: Uint8Array): Uint8Array => {
    const config = loadNodeConfig(join(consortium.directory, "managers", id, "config.yaml"));
    assert.ok(config.role === "manager");
    return ed25519Signer(readManagerKeys(config).signingSeed).sign(digest);
  };

  /** One message on a stream to manager-1. */
  const say = async (from: string, message: VoteRequest["message"]): Promise<void> => {
    const channel = consortium.channel(consortium.tlsOf(`managers/${from}`));
    await createClient(VoteService, channel).vote().write({ message });
  };

  const haltOf = async (id: string) => {
    const asked = await consortium.client("participant-1", [id]);
    return poll(async () => {
      const failure = await asked.getConsortium({ timeoutMs: 2_000 }).then(
        () => undefined,
        (error: unknown) => error,
      );
      const halted = failure instanceof RpcError && failure.reason === "NODE_HALTED";
      return halted ? failure.message : undefined;
    }, `${id} halts`);
  };

  test("a manager halts alone when Q others show another head", async () => {
    const { consortiumId } = consortium.genesis;
    const other = new Uint8Array(32).fill(1);
    const claim = { blockId: other, hash1: other, stateDigest: other };
    for (const managerId of stolen) {
      const digest = headDigest({ consortiumId, height: 1, ...claim });
      const signature = signAs(managerId, digest);
      const value = create(SignedHeadSchema, { height: 1n, ...claim, managerId, signature });
      await say(managerId, { case: "head", value });
    }
    assert.match(await haltOf("manager-1"), /manager-2, manager-3, manager-4 hold another block/);
    const asked = await consortium.client("participant-1", ["manager-2"]);
    assert.equal((await asked.getConsortium()).managers.length, 4);
    const status = await poll(() => consortium.statusOf("manager-1"), "how manager-1 stands");
    assert.match(status.halted, /hold another block/);
  });

  test("a manager that was wrong about the others goes on after a restart", async () => {
    await consortium.kill(["manager-1"]);
    await consortium.restart(["manager-1"]);
    const { outcomes } = await client.submit(client.sign([noteOf("participant-1", "a note")]), {
      timeoutMs: 180_000,
    });
    assert.equal(outcomes[0]?.outcome.case, "committed");
  });

  test("all halt when one is shown a fork, also after a restart", async () => {
    const value = create(ForkProofSchema, { first: commitOf(1), second: commitOf(2) });
    await say("manager-2", { case: "fork", value });
    for (const id of managerIds) {
      assert.match(await haltOf(id), /two blocks are final at height 1.*committed to both/);
    }
    const channel = consortium.channel(consortium.tlsOf("auditors/auditor-1"), "manager-3");
    const answer = await createClient(QueryService, channel).getFork({});
    assert.match(answer.halted, /two blocks are final at height 1/);
    assert.deepEqual(answer.accusedIds, stolen);
    assert.deepEqual(answer.fork?.second?.blockId, commitOf(2).blockId);
    const log = readFileSync(consortium.node("manager-3").logFile, "utf8");
    assert.match(log, /two blocks are final at height 1/);
    await consortium.kill(managerIds);
    await consortium.restart(managerIds);
    for (const id of managerIds) assert.match(await haltOf(id), /two blocks are final/);
  });

  const commitOf = (block: number): CommitCertificate => {
    const { consortiumId } = consortium.genesis;
    const blockId = new Uint8Array(32).fill(block);
    const digest = commitDigest({ consortiumId, height: 1, round: 0, blockId });
    const signatures = stolen.map((managerId) => ({
      managerId,
      signature: signAs(managerId, digest),
    }));
    return create(CommitCertificateSchema, { height: 1n, blockId, signatures });
  };
});
