/**
 * What one block costs in each part that grows with the number of storage nodes X, up to numbers
 * for which no machine can run the nodes: the pure code, run once per X over made-up members.
 */
import { toBinary } from "@bufbuild/protobuf";
import { defaultPolicy } from "../../src/cli/init/defaults.js";
import { ed25519Signer, ed25519Verify } from "../../src/crypto/ed25519.js";
import { IntegrityCertificateSchema } from "../../src/gen/bss/v1/block_pb.js";
import { AttestationVerdict } from "../../src/gen/bss/v1/vote_pb.js";
import { buildIntegrity } from "../../src/ledger/certificates/certificate-builders.js";
import { checkIntegrity } from "../../src/ledger/certificates/certificates.js";
import {
  committeeSize,
  drawCommittee,
  matchesNeeded,
} from "../../src/ledger/certificates/committee.js";
import { blockFacts, startMembers } from "./credit-run.js";
import { seededRandom } from "./random.js";

export type PartsResult = {
  readonly nodes: number;
  readonly committee: number;
  readonly needed: number;
  readonly drawMs: number;
  /** Putting the certificate together out of matches that are there. */
  readonly buildMs: number;
  readonly certificateKiB: number;
  /** Everything about it but the signatures. */
  readonly checkMs: number;
  /** Its signatures, on one core. */
  readonly verifyMs: number;
  /** The members after the block that settles it, their digest and their bytes. */
  readonly settleMs: number;
  readonly digestMs: number;
  readonly encodeMs: number;
  readonly membersKiB: number;
};

/** Signatures that are made and verified; more are reckoned from them. */
const verifiedMax = 1_000;

export function measureParts(nodes: number): PartsResult {
  const random = seededRandom(`parts/${nodes}`);
  const policy = defaultPolicy(nodes);
  const members = startMembers({ nodes }, random);
  members.digest();
  const consortiumId = random.bytes(32);
  const beacon = random.bytes(64);
  const eligible = members.eligibleStorageNodes(policy);
  const facts = blockFacts(eligible, { height: 1, beacon, random });
  const [drawn, drawMs] = timed(() => drawCommittee({ eligible, beacon, round: 0 }));
  const needed = matchesNeeded(drawn.length);
  const { blockId, hash1: hash2, treeSize } = facts;
  const signature = random.bytes(64);
  const matches = drawn.slice(0, needed).map((nodeId) => ({
    $typeName: "bss.v1.Attestation" as const,
    height: 1n,
    round: 0,
    blockId,
    hash2,
    nodeId,
    treeSize: BigInt(treeSize),
    verdict: AttestationVerdict.MATCH,
    audit: random.bytes(32),
    signature,
  }));
  const [integrity, buildMs] = timed(() => buildIntegrity({ round: 0, hash2, matches }));
  const [checked, checkMs] = timed(() => checkIntegrity(integrity, facts, members, consortiumId));
  if (!checked.ok) throw new Error(checked.error.message);
  const [after, settleMs] = timed(() =>
    members.applyBlock({
      policy,
      height: 2,
      timestampMs: 2_000,
      previousTimestampMs: 1_000,
      beacon,
      previous: { facts, integrity },
      operations: [],
      sealedBytes: 1_000,
    }),
  );
  if (!after.ok) throw new Error(after.error.message);
  const [, digestMs] = timed(() => after.value.digest());
  const [encoded, encodeMs] = timed(() => after.value.encode());
  return {
    nodes,
    committee: committeeSize(nodes),
    needed,
    drawMs,
    buildMs,
    checkMs,
    certificateKiB: toBinary(IntegrityCertificateSchema, integrity).length / 1_024,
    verifyMs: verifyMs(needed, random.bytes(32)),
    settleMs,
    digestMs,
    encodeMs,
    membersKiB: encoded.length / 1_024,
  };
}

function verifyMs(count: number, seed: Uint8Array): number {
  const verified = Math.min(count, verifiedMax);
  const { publicKey, sign } = ed25519Signer(seed);
  const signature = sign(seed);
  const [, ms] = timed(() => {
    for (let i = 0; i < verified; i++) ed25519Verify(publicKey, seed, signature);
  });
  return (ms * count) / verified;
}

/** CPU time, so that what else runs on the machine does not count. */
function timed<T>(work: () => T): readonly [T, number] {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return [result, (user + system) / 1_000];
}
