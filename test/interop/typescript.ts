/** Does what run.ts asks for with the TypeScript library: `node typescript.js PROFILE`. */
import { createInterface } from "node:readline";
import { toBinary } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { fromHex, toHex } from "../../src/base/bytes.js";
import {
  type BssClient,
  connect,
  loadProfile,
  meterReading,
  ReceiptSchema,
  RpcError,
  readProfile,
  readStatement,
  receiptFromBinary,
  type Submission,
  type VerifiedReceipt,
  verifyReceipt,
} from "../../src/client/index.js";
import { packageVersions } from "./package-versions.js";
import type { Answer, Facts, Request } from "./requests.js";

const hourS = 3600;
const client = await connect(readProfile(process.argv[2] ?? ""));
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await answerTo(JSON.parse(line) as Request).catch((error): Answer => {
    const reason = error instanceof RpcError ? { reason: error.reason } : {};
    return { error: String(error), ...reason };
  });
  say(answer);
}
client.close();

function say(answer: Answer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function answerTo(request: Request): Promise<Answer> {
  switch (request.do) {
    case "versions":
      return { versions: { node: process.version, ...packageVersions() } };
    case "submit":
      return submit(client, request);
    case "stream":
      return stream(client, request);
    case "receipt": {
      const hash = defined(fromHex(request.hash), "a hash is hex");
      const receipt = await client.getReceipt(hash);
      const bytes = toBinary(ReceiptSchema, receipt);
      return { receipt: Buffer.from(bytes).toString("base64"), ...verify(bytes) };
    }
    case "verify":
      return verify(new Uint8Array(Buffer.from(request.receipt, "base64")));
    case "watch":
      for await (const { height, blockId } of client.watchBlocks(request.from)) {
        say({ block: Number(height), id: toHex(blockId) });
        if (Number(height) >= request.to) break;
      }
      return { watched: true };
    case "statement": {
      const { height, node, entries } = await readStatement(client, request.node);
      const { credit = 0, reward = 0n } = node ?? {};
      return { height, credit, reward: String(reward), changes: entries.length };
    }
  }
}

/** Of a meter for an hour. */
function reading(meterId: string, intervalStartS: number, importedWh: number): Uint8Array {
  const { id: ownerId } = client.profile;
  return meterReading({
    ownerId,
    meterId,
    intervalStartS,
    intervalS: hourS,
    importedWh,
    exportedWh: 0,
  });
}

async function submit(
  to: BssClient,
  { meter, startS }: Extract<Request, { do: "submit" }>,
): Promise<Answer> {
  const load = loadProfile({
    ownerId: to.profile.id,
    meterId: meter,
    startS: startS + hourS,
    intervalS: hourS,
    values: [
      { importedWh: 300, exportedWh: 0, quality: "measured" },
      undefined,
      { importedWh: 0, exportedWh: 1250, quality: "estimated" },
    ],
  });
  const submission = to.sign([reading(meter, startS, 412), load]);
  const first = await to.submit(submission);
  const again = await to.submit(submission);
  const places = (of: typeof first) =>
    of.outcomes.map(({ outcome }) =>
      outcome.case === "committed"
        ? `${outcome.value.height}/${outcome.value.position}`
        : "refused",
    );
  const [placed, placedAgain] = [places(first), places(again)];
  if (placed.includes("refused") || placed.join() !== placedAgain.join()) {
    throw new Error(`placed at ${placed.join()}, and again at ${placedAgain.join()}`);
  }
  return { hashes: first.outcomes.map(({ recordHash }) => toHex(recordHash)) };
}

async function stream(
  to: BssClient,
  { meter, startS, count }: Extract<Request, { do: "stream" }>,
): Promise<Answer> {
  const submissions = Array.from({ length: count }, (_, i): Submission => {
    return to.sign([reading(meter, startS + i * hourS, i)]);
  });
  const hashes: string[] = [];
  for await (const outcome of to.submitStream(submissions, { inFlightMax: 8 })) {
    if (outcome.refusal !== undefined) throw outcome.refusal;
    hashes[outcome.index] = toHex(outcome.response.outcomes[0]?.recordHash ?? new Uint8Array());
  }
  return { hashes };
}

function verify(bytes: Uint8Array): Answer {
  const receipt = receiptFromBinary(bytes);
  if (receipt === undefined) return { refused: "encoding" };
  const verified = verifyReceipt(receipt, client.genesis);
  return verified.ok ? { facts: factsOf(verified.value) } : { refused: verified.error.step };
}

function factsOf({ recordHash, blockId, ...rest }: VerifiedReceipt): Facts {
  const { height, timeMs, position, treeSize, previousTreeSize, signers } = rest;
  const ids = { recordHash: toHex(recordHash), height, blockId: toHex(blockId) };
  return { ...ids, timeMs, position, treeSize, previousTreeSize, signers };
}
