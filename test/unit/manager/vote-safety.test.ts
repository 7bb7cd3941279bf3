/**
 * A crash at every write between the first statement of a height and its last: what was sent is
 * known afterwards, twice, and nobody abstains without need. A store that is lost or rolled back at
 * any of these moments makes its manager abstain.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { systemTime } from "../../../src/base/time.js";
import type { Statement } from "../../../src/consensus/ring/events.js";
import { SignatureCache } from "../../../src/crypto/signature-cache.js";
import { LockCertificateSchema } from "../../../src/gen/bss/v1/block_pb.js";
import { Abstention } from "../../../src/manager/ring/abstention.js";
import { LocalSigner } from "../../../src/manager/signing/local-signer.js";
import { type Said, signRequestOf } from "../../../src/manager/signing/signed-statements.js";
import { StatementLog } from "../../../src/manager/signing/statement-log.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { createMemoryDisk, type MemoryDisk } from "../../support/memory-store.js";
import { Chain } from "../ledger/support/chain.js";
import { consortiumId, genesis } from "../ledger/support/consortium.js";
import { documentBytes, submitted } from "../ledger/support/records.js";
import { Crash } from "./support/crashing-store.js";
import { gate } from "./support/ledger-world.js";
import { keyOf } from "./support/signers.js";

const selfId = "manager-1";
const { block, executed } = new Chain().propose({ candidates: [submitted([documentBytes()])] });
const { blockId } = executed.facts;
const otherId = blockId.with(0, (blockId[0] ?? 0) ^ 1);

const place = { height: 1, round: 0 } as const;
const lock = { round: 0, blockId, certificate: create(LockCertificateSchema) };
/** What is said at a height, turn by turn. */
const turns: readonly (readonly Statement[])[] = [
  [
    { kind: "propose", ...place, validRound: -1, blockId },
    { kind: "accept", height: 1, blockId },
    { kind: "approve", ...place, validRound: -1, blockId },
  ],
  [{ kind: "commit", ...place, blockId, lock }],
];

class Machine {
  readonly dataDisk: MemoryDisk;
  readonly signerDisk: MemoryDisk;

  constructor(dataDisk = createMemoryDisk(), signerDisk = createMemoryDisk()) {
    this.dataDisk = dataDisk;
    this.signerDisk = signerDisk;
  }

  /** A process, alone with its disks; those of the one before have lost what was not synced. */
  async start(crash = new Crash()) {
    this.dataDisk.crash();
    this.signerDisk.crash();
    const store = await ManagerStore.open(crash.over(await this.dataDisk.open()), genesis);
    const signerStore = crash.over(await this.signerDisk.open());
    const signer = await LocalSigner.open(signerStore, keyOf(selfId), "create");
    assert(signer !== undefined);
    const opened = gate();
    const inbox = { wake: opened.open };
    const failStop = { fail: opened.fail };
    const context = {
      selfId,
      consortiumId,
      members: () => genesis.members,
      signatures: new SignatureCache(),
      signer,
      store,
      time: systemTime,
      observer: { votes: () => {}, abstains: () => {}, wrote: () => {} },
    };
    const abstention = new Abstention(context, { inbox: { wake: () => {} }, failStop });
    const log = new StatementLog(context, {
      ring: { height: store.head.height + 1 },
      inbox,
      candidates: { get: () => ({ height: 1, block }) },
      abstention,
      failStop,
    });
    const { restored } = await store.loadHeight(1);
    log.open(restored);
    await opened.promise;
    for (const id of ["manager-2", "manager-3"]) abstention.hearHead(id, 0);
    return { store, signer, abstention, log };
  }

  /** Says everything until the process dies; what was sent. */
  async run(crash: Crash): Promise<readonly { statement: Statement; said: Said }[]> {
    const sent = [];
    await this.start();
    const { log } = await this.start(crash);
    for (const turn of turns) {
      try {
        sent.push(...(await log.say(turn)));
      } catch {
        break;
      }
    }
    return sent;
  }
}

/** Every boundary: so many writes succeed, and the next one is lost or not. */
const crashes = [0, 1, 2, 3, 4].flatMap((writesLeft) =>
  (["before", "after"] as const).map((when) => ({ writesLeft, when })),
);

describe("a manager that is killed", () => {
  for (const { writesLeft, when } of crashes) {
    const where = `${when} write ${writesLeft + 1}`;

    test(`${where} knows what it has sent, and so does its signer; it votes again`, async () => {
      const machine = new Machine();
      const sent = await machine.run(Object.assign(new Crash(), { writesLeft, when }));
      const { store, signer, abstention } = await machine.start();
      assert.equal(abstention.reason, undefined);
      for (const { statement, said } of sent) {
        assert.ok(store.holdsStatement(said.kind === "vote" ? said.vote : said.proposal));
        if (statement.kind === "accept") continue;
        const other = signRequestOf({ ...statement, blockId: otherId }, consortiumId);
        const answer = await signer.sign([other]);
        assert(answer.ok && answer.value[0]?.ok === false, `${statement.kind} contradicted`);
      }
      const counts = [0, 0, 3, 3, 4];
      assert.equal(sent.length, counts[writesLeft], "nothing is sent before it is marked");
    });

    test(`${where} abstains when its store is lost, if it had sent a vote`, async () => {
      const machine = new Machine();
      const sent = await machine.run(Object.assign(new Crash(), { writesLeft, when }));
      const bare = new Machine(createMemoryDisk(), machine.signerDisk);
      const { abstention, log } = await bare.start();
      if (sent.length > 0) assert.equal(abstention.reason?.kind, "loss");
      const other = turns.flat().map((statement) => ({ ...statement, blockId: otherId }));
      const kinds = (await log.say(other)).map(({ statement }) => statement.kind);
      const abstains = abstention.reason !== undefined;
      assert.deepEqual(kinds, abstains ? ["accept"] : ["propose", "accept", "approve", "commit"]);
    });
  }
});
