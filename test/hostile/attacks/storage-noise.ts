/** What a storage node can say that managers write down: it says so again and again. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { connect } from "../../../src/client/index.js";
import { ed25519Sign } from "../../../src/crypto/ed25519.js";
import { randomBytes } from "../../../src/crypto/random.js";
import { VerifyIntegrityRequestSchema } from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import { AttestationVerdict } from "../../../src/gen/bss/v1/vote_pb.js";
import { attestationDigest } from "../../../src/ledger/certificates/vote-digests.js";
import { type Attack, Counts } from "../attack.js";
import { mainFile } from "../build.js";
import { every, pause } from "../pace.js";
import { dialRaw, frame } from "../raw-call.js";
import { compromised, type Target } from "../target.js";

type Message = NonNullable<MessageInitShape<typeof VerifyIntegrityRequestSchema>["message"]>;

const method = "bss.v1.VerifyIntegrityService/VerifyIntegrity";
const intervalMs = 20;
const burst = 10;
const followMs = 200;
const escapeCharacter = "\u001b";
/** Clears the screen, sets the title, and forges a line. */
const escapes =
  "\u001b[2J\u001b]0;owned\u0007\r\nmanager-1  halted  \u001b[31mfork\u001b[0m \u202e";

export const haltNotices: Attack = {
  name: "halt-notices",
  role: "storage",
  about: "a halt notice on every new stream, with terminal escapes in its text",
  run: async (target, signal) => {
    const tally = await onNewStreams(target, signal, () => ({
      case: "halt",
      value: { height: 5n, text: `${escapes}${"x".repeat(400)}` },
    }));
    const shown = await statusOf(target);
    if (!shown.includes(escapeCharacter)) return tally;
    return { ...tally, violations: ["a storage node's text reached a terminal as it was"] };
  },
};

/** What an operator sees. */
function statusOf(target: Target): Promise<string> {
  const profile = join(target.directory, "auditors", "auditor-1", "profile.yaml");
  return new Promise((resolve) => {
    execFile(process.execPath, [mainFile(), "status", "--profile", profile], (_, out, err) =>
      resolve(`${out}${err}`),
    );
  });
}

export const wrongStorageHeads: Attack = {
  name: "wrong-storage-heads",
  role: "storage",
  about: "heads of a chain that nobody else has, two in turn",
  run: (target, signal) =>
    onOneStream(target, signal, (turn) => {
      const value = {
        height: BigInt(1 + (turn % 2)),
        storageBlockId: randomBytes(32),
        managerBlockId: randomBytes(32),
        hash2: randomBytes(32),
        treeSize: 7n,
      };
      return { case: "head", value };
    }),
};

export const mismatches: Attack = {
  name: "mismatches",
  role: "storage",
  about: "signed MISMATCH attestations of blocks that nobody has, at the open height",
  run: async (target, signal) => {
    const auditor = await connect(target.profile("auditor-1"));
    const seed = target.seedOf("storage");
    let height = 1;
    const following = every(followMs, signal, async () => {
      const status = await auditor.status({ signal }).catch(() => undefined);
      if (status !== undefined) height = Number(status.height) + 1;
    });
    const tally = await onOneStream(target, signal, (turn) => {
      const { consortiumId } = auditor;
      const claim = {
        consortiumId,
        height,
        round: turn % 2,
        blockId: randomBytes(32),
        hash2: randomBytes(32),
        treeSize: 9,
        audit: randomBytes(32),
        verdict: AttestationVerdict.MISMATCH,
      };
      const value = {
        height: BigInt(height),
        round: claim.round,
        blockId: claim.blockId,
        hash2: claim.hash2,
        treeSize: 9n,
        verdict: claim.verdict,
        audit: claim.audit,
        nodeId: compromised.storage,
        signature: ed25519Sign(seed, attestationDigest(claim)),
      };
      return { case: "attestation", value };
    });
    await following;
    auditor.close();
    return tally;
  },
};

async function onNewStreams(target: Target, signal: AbortSignal, next: () => Message) {
  const counts = new Counts();
  const tls = target.tlsOf("storage");
  if (tls === undefined) return counts.tally;
  const connections = await Promise.all(target.managers.map((each) => dialRaw(each, tls)));
  await every(intervalMs, signal, async () => {
    for (const connection of connections) {
      const call = connection.call(method);
      call.write(bytesOf(next()));
      call.stream.resume();
      counts.add("sent");
      await pause(5, signal);
      call.cancel();
    }
  });
  for (const connection of connections) connection.close();
  return counts.tally;
}

async function onOneStream(target: Target, signal: AbortSignal, next: (turn: number) => Message) {
  const counts = new Counts();
  const tls = target.tlsOf("storage");
  if (tls === undefined) return counts.tally;
  const connections = await Promise.all(target.managers.map((each) => dialRaw(each, tls)));
  const open = () => connections.map((connection) => connection.call(method));
  let calls = open();
  await every(intervalMs, signal, (turn) => {
    for (const [index, connection] of connections.entries()) {
      const call = calls[index];
      if (call === undefined || connection.closed) continue;
      call.stream.resume();
      if (call.stream.closed) {
        counts.add("stream ended");
        if (turn % 50 === 0) calls = open();
        continue;
      }
      for (let i = 0; i < burst; i++) call.write(bytesOf(next(turn * burst + i)));
      counts.add("sent", burst);
    }
  });
  for (const connection of connections) connection.close();
  return counts.tally;
}

function bytesOf(message: Message): Buffer {
  const request = create(VerifyIntegrityRequestSchema, { message });
  return frame(toBinary(VerifyIntegrityRequestSchema, request));
}
