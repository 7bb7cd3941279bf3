/**
 * Every client against one running consortium.
 *
 * Each submits, streams, reads receipts, verifies its own and those of the others, refuses forged
 * ones, watches while every manager is killed and started again (all clients at once), and
 * recomputes a statement. The TypeScript library, which the tests of this project hold to the
 * protocol, is what they are compared with.
 */
import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
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

const root = repositoryRoot();

/** Builds a client into the directory `out`. Rejects if what it needs is missing. */
export async function build(
  { name, needs: [program, ...args], directory, build: commands }: Language,
  out: string,
): Promise<void> {
  const cwd = join(root, directory);
  try {
    execFileSync(program, args, { cwd, stdio: "ignore" });
  } catch {
    throw new Error(`${name} needs ${program}: install it, or choose other LANGUAGES`);
  }
  for (const [command = "", ...rest] of commands(out)) {
    const { stdout, stderr } = await promisify(execFile)(command, rest, { cwd });
    process.stderr.write(`${stdout}${stderr}`);
  }
}

/** Tries all of them, which are built into `out`; prints a table. Whether all are right. */
export async function interop(chosen: readonly Language[], out: string): Promise<boolean> {
  const participants = chosen.length + 1;
  const sizes = { managers: managers.length, storage: 4, participants };
  const consortium = await LiveConsortium.start(join(out, "consortium"), sizes);
  const trials: Trial[] = [];
  try {
    const other = `participant-${participants}`;
    const reference = new Reference(await consortium.client(other), other, consortium);
    for (const [i, language] of chosen.entries()) {
      trials.push(new Trial(language, { out, number: i + 1 }));
    }
    const passed = await runAll(trials, reference);
    process.stdout.write(`${tableOf(trials)}\n`);
    return passed;
  } finally {
    await Promise.all(trials.map(({ program }) => program.close()));
    await consortium.close();
  }
}

/** What each does alone, one client after the other, and what they do at once. */
async function runAll(trials: readonly Trial[], reference: Reference): Promise<boolean> {
  const inTurn = async (step: (trial: Trial) => Promise<string | undefined>) => {
    for (const trial of trials) await trial.take(() => step(trial));
  };
  const atOnce = (step: (trial: Trial) => Promise<string | undefined>) =>
    Promise.all(trials.map((trial) => trial.take(() => step(trial))));
  const proven: Proven[] = [];
  await inTurn((trial) => submits(trial, reference, proven));
  await inTurn((trial) => verifies(trial, proven));
  await inTurn((trial) => refuses(trial, proven));
  const to = (await reference.height()) + managers.length;
  await atOnce((trial) => beginsToWatch(trial, to));
  const watching = atOnce((trial) => watches(trial, to));
  await Promise.all([reference.restartManagers(), watching]);
  await inTurn((trial) => recomputes(trial, reference));
  return trials.every(({ failed }) => !failed);
}

function tableOf(trials: readonly Trial[]): string {
  const columns = [{ title: "CLIENT" }, { title: "VERSIONS" }, { title: "S" }, { title: "RESULT" }];
  return table(
    columns,
    trials.map(({ language, versions, seconds, results }) => {
      return [language.name, versions, String(seconds), results.join("; ")];
    }),
  );
}

/** One client, and what it has done. */
class Trial {
  readonly language: Language;
  readonly meter: string;
  readonly program: ClientProgram;
  readonly results: string[] = [];
  versions = "";
  failed = false;
  #ms = 0;

  constructor(
    language: Language,
    { out, number }: { readonly out: string; readonly number: number },
  ) {
    const participants = join(out, "consortium", "participants");
    const profile = join(participants, `participant-${number}`, "profile.yaml");
    this.language = language;
    this.meter = `meter-${number}`;
    this.program = new ClientProgram(
      [...language.run(out), profile],
      join(root, language.directory),
    );
  }

  get seconds(): number {
    return Math.round(this.#ms / 1000);
  }

  /** Takes a step, which may say what was found; none after one that failed. */
  async take(step: () => Promise<string | undefined>): Promise<void> {
    if (this.failed) return;
    const startedMs = performance.now();
    try {
      const result = await step();
      if (result !== undefined) this.#note(result);
    } catch (error) {
      this.failed = true;
      this.#note(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#ms += performance.now() - startedMs;
  }

  #note(result: string): void {
    process.stderr.write(`${this.language.name}: ${result}\n`);
    this.results.push(result);
  }
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

/** Submits and streams, and reads the receipts, which say what the reference reads too. */
async function submits(trial: Trial, { client }: Reference, proven: Proven[]): Promise<string> {
  const { program, meter } = trial;
  const { versions } = await program.ask({ do: "versions" });
  trial.versions = Object.entries(versions ?? {})
    .map((each) => each.join(" "))
    .join(", ");
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
async function verifies({ program }: Trial, proven: readonly Proven[]): Promise<string> {
  for (const { receipt, facts } of proven) {
    const answer = await program.ask({ do: "verify", receipt });
    const sorted = (of: Facts | undefined) => JSON.stringify(of, of && Object.keys(of).sort());
    same(sorted(answer.facts), sorted(facts), "what a receipt proves");
  }
  return `${proven.length} verified`;
}

async function refuses({ program }: Trial, proven: readonly Proven[]): Promise<string> {
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

/** Asks for the blocks up to one that is not there yet, and has the first of them. */
async function beginsToWatch({ program }: Trial, to: number): Promise<undefined> {
  program.send({ do: "watch", from: 1, to });
  same((await program.next()).block, 1, "the first block");
}

/** While each manager is killed and started again: every block once, in order. */
async function watches({ program }: Trial, to: number): Promise<string> {
  let next = 2;
  for (;;) {
    const { block, watched } = await program.next();
    if (watched === true) break;
    same(block, next, "the next block");
    next += 1;
  }
  same(next, to + 1, "the last block");
  return `${to} blocks watched through ${managers.length} restarts`;
}

async function recomputes({ program }: Trial, { client }: Reference): Promise<string> {
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
