/**
 * What this machine's own primitives cost, in the run that uses them as a measure: signatures,
 * hashes, sealing, puts and messages are what no implementation of the protocol on this runtime can
 * do without (counts.ts says how many of each).
 *
 * Costs are processor time of all threads of this process, so that thread pools count and waiting
 * does not. Each is the median of several rounds.
 */
import { createCipheriv, generateKeyPairSync, hash, randomBytes, sign, verify } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defined } from "../../src/base/assert.js";
import { ecvrf } from "../../src/crypto/ecvrf.js";
import { vrfKeyPairFromSeed } from "../../src/crypto/vrf.js";
import { openRocksDb } from "../../src/store/rocksdb/rocksdb-store.js";
import { median } from "../report/statistics.js";
import { measureMessages } from "./messages.js";

/** Each with what it is. All in µs of processor time. */
export const primitives = {
  ed25519Sign: "an Ed25519 signature (node:crypto)",
  ed25519Verify: "verifying one",
  vrfProve: "an ECVRF proof (src/crypto)",
  vrfVerify: "verifying one",
  sha256Of65: "SHA-256 of 65 bytes",
  sha256Of300: "SHA-256 of 300 bytes",
  aesGcmOf300: "AES-256-GCM of 300 bytes",
  put: "one put of 33 and 200 bytes in a RocksDB batch of 1,000",
  syncWrite: "one put as a RocksDB batch of its own, synchronous",
  messageAlone: "one end of a small gRPC message over mutual TLS, alone",
  messageInRow: "one end of one of 1,000 such messages in a row",
  kibibyte: "one end of a KiB in gRPC messages of 64 KiB over mutual TLS",
} as const;

export type Primitive = keyof typeof primitives;
export type PrimitiveCosts = Readonly<Record<Primitive, number>>;

const rounds = 7;
/** Enough for the clock's grain, and for V8 to have compiled what is measured. */
const roundMs = 25;
/** More than the VRF remembers, so that each proof is made and verified anew. */
const beaconsInTurn = 160;

export async function measurePrimitives(): Promise<PrimitiveCosts> {
  const inMemory = measureCrypto();
  const stored = await measureStore();
  const sent = await measureMessages();
  return Object.assign({}, inMemory, stored, sent);
}

/** Of each primitive the median of what it cost. */
export function medianCosts(measured: readonly PrimitiveCosts[]): PrimitiveCosts {
  const names = Object.keys(primitives) as Primitive[];
  const entries = names.map((name) => [name, median(measured.map((costs) => costs[name]))]);
  return Object.fromEntries(entries) as PrimitiveCosts;
}

type CryptoCosts = Pick<
  PrimitiveCosts,
  | "ed25519Sign"
  | "ed25519Verify"
  | "vrfProve"
  | "vrfVerify"
  | "sha256Of65"
  | "sha256Of300"
  | "aesGcmOf300"
>;

function measureCrypto(): CryptoCosts {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const digest = randomBytes(32);
  const signature = sign(null, digest, privateKey);
  const vrfKey = vrfKeyPairFromSeed(randomBytes(32));
  const beacons = Array.from({ length: beaconsInTurn }, () => {
    const alpha = randomBytes(104);
    return { alpha, proof: ecvrf.prove(vrfKey.secretKey, alpha) };
  });
  let turn = 0;
  const nextBeacon = () => {
    turn += 1;
    return defined(beacons[turn % beaconsInTurn], "there are as many");
  };
  const [short, long] = [randomBytes(65), randomBytes(300)];
  // As text: Node.js 24 takes several times as long if a key comes as bytes.
  const key = randomBytes(32).toString("binary");
  const options = { encoding: "binary", authTagLength: 16 } as const;
  const nonce = Buffer.alloc(12);
  const seal = () => {
    const cipher = createCipheriv("aes-256-gcm", key, nonce, options);
    cipher.setAAD(digest);
    return [cipher.update(long), cipher.final(), cipher.getAuthTag()];
  };
  return {
    ed25519Sign: cpuUsOf(() => sign(null, digest, privateKey)),
    ed25519Verify: cpuUsOf(() => verify(null, digest, publicKey, signature)),
    vrfProve: cpuUsOf(() => ecvrf.prove(vrfKey.secretKey, nextBeacon().alpha)),
    vrfVerify: cpuUsOf(() => {
      const { alpha, proof } = nextBeacon();
      return ecvrf.verify(vrfKey.publicKey, alpha, proof);
    }),
    sha256Of65: cpuUsOf(() => hash("sha256", short, "buffer")),
    sha256Of300: cpuUsOf(() => hash("sha256", long, "buffer")),
    aesGcmOf300: cpuUsOf(seal),
  };
}

async function measureStore(): Promise<Pick<PrimitiveCosts, "put" | "syncWrite">> {
  const directory = mkdtempSync(join(tmpdir(), "bss-bench-store-"));
  const store = await openRocksDb(directory);
  const batchOf = (length: number) =>
    Array.from({ length }, () => {
      return { type: "put" as const, key: randomBytes(33), value: randomBytes(200) };
    });
  const batches = Array.from({ length: 4 * rounds }, () => batchOf(1_000));
  const singles = Array.from({ length: 40 * rounds }, () => batchOf(1));
  try {
    const [first, ...rest] = batches;
    if (first !== undefined) await store.write(first, "sync");
    const put = await cpuUsOfEach(rest, (batch) => store.write(batch, "sync"));
    const syncWrite = await cpuUsOfEach(singles, (batch) => store.write(batch, "sync"));
    return { put: put / 1_000, syncWrite };
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Of one call, in µs. */
function cpuUsOf(work: () => unknown): number {
  let times = 1;
  while (cpuUsOfTimes(work, times) < (roundMs * 1_000) / 4) times *= 2;
  times *= 4;
  return median(Array.from({ length: rounds }, () => cpuUsOfTimes(work, times) / times));
}

function cpuUsOfTimes(work: () => unknown, times: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Of one item, in µs: the median of rounds, each with as many of the items. */
async function cpuUsOfEach<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<number> {
  const count = Math.floor(items.length / rounds);
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (const item of items.slice(round * count, (round + 1) * count)) await work(item);
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / count);
  }
  return median(costs);
}
