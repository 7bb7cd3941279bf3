/**
 * Transcripts: a conversation with a ring as text. A line is a command, the indented lines below it
 * are what the ring does about it; a line that starts with # is for the reader.
 *
 *     bench managers=4 self=2          a new ring; also storage=, height=, suspend= ms
 *     wake
 *     tick 100                         lets 100 ms pass
 *     propose r1 A0 valid=0 by=2,3,4   the proposer's; with valid= it carries LC(0, A0); "unattested"
 *     judge A0                         the rules find the block accurate; "judge A0 wrong"
 *     built A0                         answers "asks build"
 *     accept A0 2 3                    votes of managers 2 and 3
 *     approve r0 A0 2 3                also "nil", and valid=
 *     commit r0 A0 2 3
 *     attest r0 A0                     by its whole committee, or by those named; "mismatch"
 *     lock r0 A0 2 3 4                 LC(0, A0) by these approvers; ic= another round
 *     restart
 *     status
 *     waiting                          for what, as its line for people
 */
import { VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { nil, RingBench } from "./ring-bench.js";

/** Runs the commands of a transcript; returns it with what the ring does now. */
export function replay(text: string): string {
  let bench = new RingBench();
  const out: string[] = [];
  for (const line of text.split("\n")) {
    if (/^\s+\S/.test(line)) continue;
    out.push(line.trimEnd());
    if (line.trim() === "" || line.startsWith("#")) continue;
    const words = new Words(line);
    if (words.command === "bench") bench = new RingBench(words.options());
    else out.push(...run(bench, words).map((each) => `    ${each}`));
  }
  return out.join("\n");
}

function run(bench: RingBench, words: Words): string[] {
  const { height } = bench;
  switch (words.command) {
    case "wake":
      return bench.step({ kind: "wake" });
    case "tick":
      return bench.tick(words.numbers()[0] ?? 0, Number(words.option("busy") ?? 0));
    case "propose": {
      const valid = words.option("valid");
      const approvers = words.list("by");
      const lock = valid === undefined ? undefined : Number(valid);
      const attestedIn = words.has("unattested") ? -1 : lock;
      const certificate =
        lock === undefined
          ? undefined
          : bench.lockCertificate(lock, words.block(), approvers, attestedIn);
      const proposal = bench.proposal(words.round(), words.block(), certificate);
      return bench.step({ kind: "proposal", proposal });
    }
    case "judge": {
      const violation = { reason: "DOUBLE_SPEND", message: "sold twice" } as const;
      const judgement = words.has("wrong")
        ? ({ accurate: false, violation } as const)
        : ({ accurate: true, facts: bench.facts(words.block()) } as const);
      return bench.step({ kind: "judged", height, blockId: bench.id(words.block()), judgement });
    }
    case "built": {
      const facts = bench.facts(words.block());
      return bench.step({ kind: "built", height, round: facts.createdRound, facts });
    }
    case "accept":
      return votes(bench, words, VoteKind.ACCEPT);
    case "approve":
      return votes(bench, words, VoteKind.APPROVE);
    case "commit":
      return votes(bench, words, VoteKind.COMMIT);
    case "attest": {
      const committee = bench.committee(words.block(), words.round());
      const named = words.numbers().map((number) => `storage-${number}`);
      const nodes = named.length === 0 ? committee : named;
      return nodes.flatMap((node) => {
        const matches = !words.has("mismatch");
        const attestation = bench.attestation(words.round(), words.block(), node, matches);
        return bench.step({ kind: "attestation", attestation });
      });
    }
    case "lock": {
      const ic = Number(words.option("ic") ?? words.round());
      const block = words.block();
      const certificate = bench.lockCertificate(words.round(), block, words.numbers(), ic);
      return bench.step({ kind: "lock-certificate", certificate });
    }
    case "restart":
      return bench.restart();
    case "status":
      return [bench.status()];
    case "waiting":
      return [bench.waiting()];
    default:
      throw new Error(`there is no command "${words.command}"`);
  }
}

function votes(bench: RingBench, words: Words, kind: VoteKind): string[] {
  const round = kind === VoteKind.ACCEPT ? 0 : words.round();
  const valid = Number(words.option("valid") ?? -1);
  return words.numbers().flatMap((manager) => {
    const vote = bench.vote(kind, round, words.block(), manager, valid);
    return bench.step({ kind: "vote", vote });
  });
}

/** The words of a command, by their form. */
class Words {
  readonly command: string;
  readonly #words: readonly string[];

  constructor(line: string) {
    const [command = "", ...words] = line.trim().split(/\s+/);
    this.command = command;
    this.#words = words;
  }

  round(): number {
    return Number(this.#words.find((word) => /^r\d+$/.test(word))?.slice(1) ?? 0);
  }

  block(): string {
    return this.#words.find((word) => word === nil || /^[A-Z]\d+$/.test(word)) ?? nil;
  }

  numbers(): readonly number[] {
    return this.#words.filter((word) => /^\d+$/.test(word)).map(Number);
  }

  has(flag: string): boolean {
    return this.#words.includes(flag);
  }

  option(name: string): string | undefined {
    const prefix = `${name}=`;
    return this.#words.find((word) => word.startsWith(prefix))?.slice(prefix.length);
  }

  list(name: string): readonly number[] {
    return (this.option(name) ?? "").split(",").filter(Boolean).map(Number);
  }

  options(): Readonly<Record<string, number>> {
    const pairs = this.#words.map((word) => word.split("="));
    return Object.fromEntries(pairs.map(([name = "", value]) => [name, Number(value)]));
  }
}
