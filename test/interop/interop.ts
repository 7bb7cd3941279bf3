/**
 * Every client against one running consortium.
 *
 * Each submits, streams, reads receipts, verifies its own and those of the others, refuses forged
 * ones, watches while every manager is killed and started again, and recomputes a statement. The
 * TypeScript library, which the tests of this project hold to the protocol, is what they are
 * compared with.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert, defined } from "../../src/base/assert.js";
import { fromHex } from "../../src/base/bytes.js";
import { table } from "../../src/cli/text/output.js";
import {
  type BssClient,
  meterReading,
  type Receipt,
  ReceiptSchema,
  readStatement,
} from "../../src/client/index.js";
import { LiveConsortium } from "../support/live-consortium.js";
import { repositoryRoot } from "../support/tree.js";
import { ClientProgram } from "./client-program.js";
import type { Language } from "./languages.js";
import type { Facts } from "./requests.js";

const startS = 1_793_491_200;
const hourS = 3_600;
const streamed = 20;
const managers = ["manager-1", "manager-2", "manager-3", "manager-4"] as const;
const nodeId = "storage-1";

type Proven = { readonly receipt: string; readonly facts: Facts };

type Row = {
  readonly language: string;
  readonly versions: string;
  readonly results: string;
  readonly seconds: number;
  readonly failed: boolean;
};

const root = repositoryRoot();

/** Builds a client into the directory `out`. Throws if what it needs is missing. */
export function build(
  { name, needs: [program, ...args], directory, build: commands }: Language,
  out: string,
): void {
  const cwd = join(root, directory);
  try {
    execFileSync(program, args, { cwd, stdio: "ignore" });
  } catch {
    throw new Error(`${name} needs ${program}: install it, or choose other LANGUAGES`);
  }
  for (const [command = "", ...rest] of commands(out)) {
    execFileSync(command, rest, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  }
}

/** Tries all of them, which are built into `out`; prints a table. Whether all are right. */
export async function interop(chosen: readonly Language[], out: string): Promise<boolean> {
  const participants = chosen.length + 1;
  const sizes = { managers: managers.length, storage: 4, participants };
  const consortium = await LiveConsortium.start(join(out, "consortium"), sizes);
  try {
    const other = `participant-${participants}`;
    const reference = new Reference(await consortium.client(other), other, consortium);
    const proven: Proven[] = [];
    const rows: Row[] = [];
    for (const [i, language] of chosen.entries()) {
      rows.push(await tryOut(language, { out, number: i + 1 }, reference, proven));
    }
    process.stdout.write(`${tableOf(rows)}\n`);
    return rows.every(({ failed }) => !failed);
  } finally {
    await consortium.close();
  }
}

function tableOf(rows: readonly Row[]): string {
  const columns = [{ title: "CLIENT" }, { title: "VERSIONS" }, { title: "S" }, { title: "RESULT" }];
  return table(
    columns,
    rows.map(({ language, versions, seconds, results }) => {
      return [language, versions, String(seconds), results];
    }),
  );
}

/** The TypeScript library, the participant that makes blocks, and the managers' processes. */
class Reference {
  readonly client: BssClient;
  readonly consortium: LiveConsortium;
  readonly #ownerId: string;
  #hours = 0;

  constructor(client: BssClient, ownerId: string, consortium: LiveConsortium) {
    this.client = client;
    this.#ownerId = ownerId;
    this.consortium = consortium;
  }

  /** Makes at least one block. */
  async makeBlock(): Promise<void> {
    const record = meterReading({
      ownerId: this.#ownerId,
      meterId: this.#ownerId.replace("participant", "meter"),
      intervalStartS: startS + this.#hours * hourS,
      intervalS: hourS,
      importedWh: 1,
      exportedWh: 0,
    });
    this.#hours += 1;
    await this.client.submit(this.client.sign([record]), { timeoutMs: 120_000 });
  }

  async height(): Promise<number> {
    return Number((await this.client.status()).height);
  }

  /** Kills each manager, starts it again and makes a block. */
  async restartManagers(): Promise<void> {
    for (const id of managers) {
      await this.consortium.kill([id]);
      await this.consortium.restart([id]);
      await this.makeBlock();
    }
  }
}

async function tryOut(
  language: Language,
  { out, number }: { readonly out: string; readonly number: number },
  reference: Reference,
  proven: Proven[],
): Promise<Row> {
  const startedMs = performance.now();
  const profile = join(
    reference.consortium.directory,
    "participants",
    `participant-${number}`,
    "profile.yaml",
  );
  const cwd = join(root, language.directory);
  const program = new ClientProgram([...language.run(out), profile], cwd);
  const done: string[] = [];
  let versions = "";
  let failed = false;
  try {
    const answer = await program.ask({ do: "versions" });
    versions = Object.entries(answer.versions ?? {})
      .map((each) => each.join(" "))
      .join(", ");
    for (const step of steps) {
      const result = await step(program, `meter-${number}`, reference, proven);
      process.stderr.write(`${language.name}: ${result}\n`);
      done.push(result);
    }
  } catch (error) {
    failed = true;
    done.push(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await program.close();
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  return { language: language.name, versions, seconds, failed, results: done.join("; ") };
}

type Step = (
  program: ClientProgram,
  meter: string,
  reference: Reference,
  proven: Proven[],
) => Promise<string>;

const steps: readonly Step[] = [submits, verifies, refuses, watches, recomputes];

/** Submits and streams, and reads the receipts, which say what the reference reads too. */
async function submits(
  program: ClientProgram,
  meter: string,
  { client }: Reference,
  proven: Proven[],
): Promise<string> {
  const unary = await program.ask({ do: "submit", meter, startS });
  const many = { meter, startS: startS + 10 * hourS, count: streamed };
  const stream = await program.ask({ do: "stream", ...many });
  const hashes = [...(unary.hashes ?? []), ...(stream.hashes ?? [])];
  same(new Set(hashes).size, 2 + streamed, "records on the ledger");
  for (const hash of hashes) {
    const { receipt, facts } = await program.ask({ do: "receipt", hash });
    const read = await client.getReceipt(defined(fromHex(hash), "a hash is hex"));
    const shown = defined(facts, "a receipt proves facts");
    same(shown.recordHash, hash, "the receipt's record");
    same(shown.position, Number(read.position), "the record's position");
    same(shown.height, Number(read.height), "the record's block");
    proven.push({ receipt: defined(receipt, "the answer holds the receipt"), facts: shown });
  }
  return `${hashes.length} records submitted, receipts read`;
}

/** Proves the same of every receipt, whoever has read it. */
async function verifies(
  program: ClientProgram,
  _meter: string,
  _reference: Reference,
  proven: readonly Proven[],
): Promise<string> {
  for (const { receipt, facts } of proven) {
    const answer = await program.ask({ do: "verify", receipt });
    const sorted = (of: Facts | undefined) => JSON.stringify(of, of && Object.keys(of).sort());
    same(sorted(answer.facts), sorted(facts), "what a receipt proves");
  }
  return `${proven.length} verified`;
}

async function refuses(
  program: ClientProgram,
  _meter: string,
  _reference: Reference,
  proven: readonly Proven[],
): Promise<string> {
  const forged = forgedOf(proven);
  for (const [what, receipt] of forged) {
    const answer = await program.ask({ do: "verify", receipt: base64(receipt) });
    assert(answer.refused !== undefined, `a receipt with ${what} is accepted`);
  }
  return `${forged.length} forged refused`;
}

/** Forged receipts of this ledger; the corpus in test/vectors has many more. */
function forgedOf(proven: readonly Proven[]): readonly (readonly [string, Uint8Array])[] {
  const bytesOf = ({ receipt }: Proven) => new Uint8Array(Buffer.from(receipt, "base64"));
  const first = bytesOf(defined(proven[0], "there are receipts"));
  const last = bytesOf(defined(proven.at(-1), "there are receipts"));
  const changed = (change: (receipt: Receipt, later: Receipt) => void): Uint8Array => {
    const receipt = fromBinary(ReceiptSchema, first);
    change(receipt, fromBinary(ReceiptSchema, last));
    return toBinary(ReceiptSchema, receipt);
  };
  const certificate = (receipt: Receipt) =>
    defined(receipt.commitCertificate, "a receipt has a certificate");
  return [
    ["a byte behind it", Uint8Array.of(...first, 0)],
    ["a byte less", first.slice(0, -1)],
    ["another record", changed((receipt, later) => (receipt.recordHash = later.recordHash))],
    ["another position", changed((receipt) => (receipt.position += 1n))],
    ["another time", changed((receipt) => (receipt.timeUnixMs += 1n))],
    ["another header", changed((receipt, later) => (receipt.header = later.header))],
    ["a shorter proof", changed((receipt) => receipt.inclusionProof.push(receipt.recordHash))],
    ["too few signatures", changed((receipt) => certificate(receipt).signatures.splice(2))],
    ["another round", changed((receipt) => (certificate(receipt).round += 1))],
    [
      "one signature twice",
      changed((receipt) => {
        const { signatures } = certificate(receipt);
        signatures.splice(1, 1, defined(signatures[0], "managers have signed"));
      }),
    ],
    [
      "the certificate of another block",
      changed((receipt, later) => (receipt.commitCertificate = certificate(later))),
    ],
  ];
}

/** Watches while each manager is killed and started again: every block once, in order. */
async function watches(
  program: ClientProgram,
  _meter: string,
  reference: Reference,
): Promise<string> {
  const to = (await reference.height()) + managers.length;
  program.send({ do: "watch", from: 1, to });
  let next = 1;
  let restarts: Promise<void> | undefined;
  for (;;) {
    const { block, watched } = await program.next();
    if (watched === true) break;
    same(block, next, "the next block");
    next += 1;
    restarts ??= reference.restartManagers();
    // Its failure is told below; the program may have one of its own before.
    restarts.catch(() => {});
  }
  await restarts;
  same(next, to + 1, "the last block");
  return `${to} blocks watched through ${managers.length} restarts`;
}

async function recomputes(
  program: ClientProgram,
  _meter: string,
  { client }: Reference,
): Promise<string> {
  const expected = await readStatement(client, nodeId);
  const answer = await program.ask({ do: "statement", node: nodeId });
  same(answer.credit, expected.node?.credit, "the node's credit");
  same(answer.reward, String(expected.node?.reward), "the node's reward");
  same(answer.changes, expected.entries.length, "the changes of its standing");
  return `statement of ${answer.changes} changes recomputed`;
}

function same<T>(found: T, expected: T, what: string): void {
  assert(found === expected, `${what}: ${String(found)} instead of ${String(expected)}`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
