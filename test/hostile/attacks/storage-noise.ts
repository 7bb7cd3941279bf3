/** What a storage node can say that managers write down: it says so again and again. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ed25519Sign } from "../../../src/crypto/ed25519.js";
import { randomBytes } from "../../../src/crypto/random.js";
import { VerifyIntegrityRequestSchema } from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import { AttestationVerdict } from "../../../src/gen/bss/v1/vote_pb.js";
import { attestationDigest } from "../../../src/ledger/vote-digests.js";
import { type Attack, Counts } from "../attack.js";
import { every, pause } from "../pace.js";
import { dialRaw, frame } from "../raw-call.js";
import { compromised, type Target } from "../target.js";

type Message = NonNullable<MessageInitShape<typeof VerifyIntegrityRequestSchema>["message"]>;

const method = "bss.v1.VerifyIntegrityService/VerifyIntegrity";
const intervalMs = 20;
const burst = 10;
/** Clears the screen, sets the title, and forges a line. */
const escapes =
  "\u001b[2J\u001b]0;owned\u0007\r\nmanager-1  halted  \u001b[31mfork\u001b[0m \u202e";

export const haltNotices: Attack = {
  name: "halt-notices",
  role: "storage",
  about: "a halt notice on every new stream, with terminal escapes in its text",
  run: (target, signal) =>
    onNewStreams(target, signal, () => ({
      case: "halt",
      value: { height: 5n, text: `${escapes}${"x".repeat(400)}` },
    })),
};

export const wrongStorageHeads: Attack = {
  name: "wrong-storage-heads",
  role: "storage",
  about: "heads of a chain that nobody else has, two in turn",
  run: (target, signal) =>
    onOneStream(target, signal, (turn) => {
      const value = {
        height: BigInt(1 + (turn % 2)),
        storageBlockId: randomBytes(32),
        ...{ managerBlockId: randomBytes(32), hash2: randomBytes(32), treeSize: 7n },
      };
      return { case: "head", value };
    }),
};

export const mismatches: Attack = {
  name: "mismatches",
  role: "storage",
  about: "signed MISMATCH attestations of blocks that are and are not",
  run: (target, signal) => {
    const { consortiumId } = target.profile("auditor-1").genesis;
    const seed = target.seedOf("storage");
    return onOneStream(target, signal, (turn) => {
      const claim = {
        ...{ consortiumId, height: 1 + (turn % 50), round: turn % 3 },
        ...{ blockId: randomBytes(32), hash2: randomBytes(32), treeSize: 9 },
        ...{ verdict: AttestationVerdict.MISMATCH, audit: randomBytes(32) },
      };
      const value = {
        ...{ height: BigInt(claim.height), round: claim.round, blockId: claim.blockId },
        ...{ hash2: claim.hash2, treeSize: 9n, verdict: claim.verdict, audit: claim.audit },
        nodeId: compromised.storage,
        signature: ed25519Sign(seed, attestationDigest(claim)),
      };
      return { case: "attestation", value };
    });
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
