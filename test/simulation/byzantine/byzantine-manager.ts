/**
 * A manager that breaks the rules. Inside runs the production manager; around it, whatever it says
 * goes to some only, and it signs besides what it must not. Which of these it does is up to the
 * seed; at least one it does.
 */
import { toHex } from "../../../src/base/bytes.js";
import type { VerifyCandidate } from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import { type Proposal, type Vote, VoteKind } from "../../../src/gen/bss/v1/vote_pb.js";
import { furtherAttestationsOfOneManager } from "../../../src/storage-node/chain/attesting.js";
import type { ManagerHost } from "../nodes/manager-host.js";
import type { Random } from "../random.js";
import { type Signer, signProposal, signVote, type VoteStatement } from "../statements.js";
import type { World } from "../world.js";
import { BadBlocks } from "./bad-blocks.js";
import { Forgeries } from "./forgeries.js";
import { OldCertificates } from "./old-certificates.js";
import type { BroadcastMessage, StorageMessage, Twist, VoteAnswer, VoteMessage } from "./twist.js";

/** How many rounds ahead it asks committees: as many as a node answers one manager at once. */
const roundsAhead = furtherAttestationsOfOneManager.burst;

const habits = [
  "withholds",
  "withholds its accept",
  "says nil",
  "votes twice",
  "votes at once",
  "votes elsewhere",
  "makes other blocks",
  "proposes old blocks",
  "repeats certificates",
  "bundles at random",
  "forges",
  "keeps storage nodes waiting",
  "gives wrong answers",
] as const;
/** The last one is not up to the seed: it matters to whoever does little else. */
export type Habit = (typeof habits)[number] | "asks committees ahead";

export class ByzantineManager implements Twist {
  readonly #world: World;
  readonly #node: ManagerHost;
  readonly #random: Random;
  readonly #signer: Signer;
  readonly #habits: ReadonlySet<Habit>;
  readonly #blocks: BadBlocks;
  readonly #forgeries: Forgeries;
  readonly #certificates: OldCertificates;
  #height = 0;
  /** Blocks of the height, by id in hex. */
  readonly #known = new Map<string, Uint8Array>();
  /** Statements of the node that were handled once for all peers. */
  #handled = new WeakSet<object>();

  /** With these habits, or as the seed has it. */
  constructor(world: World, node: ManagerHost, random: Random, fixed?: readonly Habit[]) {
    this.#world = world;
    this.#node = node;
    this.#random = random;
    const { genesis, scheme } = world.consortium;
    this.#signer = {
      managerId: node.id,
      consortiumId: genesis.consortiumId,
      sign: (digest) => scheme.sign(node.id, digest),
    };
    const chosen = habits.filter(() => random.chance(0.4));
    this.#habits = new Set(fixed ?? (chosen.length > 0 ? chosen : [random.pick(habits)]));
    const parts = { world, node, random, signer: this.#signer };
    this.#blocks = new BadBlocks(parts);
    this.#forgeries = new Forgeries(parts);
    this.#certificates = new OldCertificates(parts);
    world.log(() => `${node.id} is byzantine: ${[...this.#habits].join(", ")}`);
    this.#act();
  }

  vote(to: string, message: VoteMessage): readonly VoteMessage[] {
    if (!this.#mayAct) return [message];
    const value = message.value;
    const isNew = value !== undefined && !this.#handled.has(value);
    if (value !== undefined) this.#handled.add(value);
    if (message.case === "vote") {
      if (isNew) this.#onOwnVote(message.value);
      return this.#twisted(message.value).map((vote) => ({ case: "vote", value: vote }));
    }
    if (message.case === "proposal" && message.value.managerId === this.#node.id) {
      return this.#proposal(to, message, isNew);
    }
    return this.#does("withholds", 0.5) ? [] : [message];
  }

  broadcast(_to: string, message: BroadcastMessage): readonly BroadcastMessage[] {
    if (!this.#mayAct) return [message];
    if (message.case === "submission") this.#blocks.remember(message.value);
    return this.#does("withholds", 0.5) ? [] : [message];
  }

  answer(_to: string, message: VoteAnswer): readonly VoteAnswer[] {
    if (!this.#mayAct || !this.#does("gives wrong answers", 0.5)) return [message];
    this.#count("wrong answer");
    return this.#random.chance(0.5) ? [] : [this.#forgeries.wrongAnswer(message)];
  }

  toStorage(_nodeId: string, message: StorageMessage): readonly StorageMessage[] {
    if (!this.#mayAct) return [message];
    if (this.#does("keeps storage nodes waiting", 0.7)) {
      this.#count("storage node kept waiting");
      return [];
    }
    return message.case === "verify" && this.#habits.has("asks committees ahead")
      ? [message, ...this.#inLaterRounds(message.value)]
      : [message];
  }

  heardVote(_from: string, message: VoteMessage): void {
    if (!this.#mayAct) return;
    if (message.case === "proposal") {
      const proposal = message.value;
      this.#at(Number(proposal.height));
      this.#known.set(toHex(proposal.blockId), proposal.blockId);
      if (proposal.lockCertificate !== undefined) {
        this.#certificates.remember(proposal.lockCertificate);
      }
      if (this.#does("bundles at random", 0.3)) this.#certificates.acceptElsewhere(proposal);
      if (this.#does("votes at once", 0.5)) this.#backAtOnce(proposal);
    }
    if (message.case === "lockCertificate") this.#certificates.remember(message.value);
    if (message.case === "vote") {
      this.#certificates.rememberVote(message.value);
      if (this.#does("repeats certificates", 0.05)) this.#certificates.repeat();
      if (this.#does("bundles at random", 0.02)) this.#certificates.bundle();
    }
  }

  heardBroadcast(_from: string, message: BroadcastMessage): void {
    if (message.case !== "submission") return;
    this.#blocks.remember(message.value);
    if (this.#mayAct && this.#does("forges", 0.2)) this.#forgeries.objection(message.value);
  }

  /** Without suspension the ring needs everybody, so that in the end everybody keeps the rules. */
  get #mayAct(): boolean {
    return this.#world.faulty || this.#world.suspends;
  }

  /** Things that it does now and then, whatever the others say. */
  #act(): void {
    this.#world.scheduler.after(this.#random.exponential(400), () => {
      if (this.#mayAct && this.#node.up && this.#does("forges", 0.8)) this.#forgeries.anything();
      this.#act();
    });
  }

  #twisted(vote: Vote): readonly Vote[] {
    const { kind, height, round } = vote;
    const own = vote.managerId === this.#node.id;
    if (own && kind === VoteKind.ACCEPT && this.#does("withholds its accept", 0.9)) return [];
    if (own && kind !== VoteKind.ACCEPT && this.#habits.has("says nil")) {
      const nil = { height: Number(height), round, blockId: new Uint8Array() };
      return [
        kind === VoteKind.COMMIT
          ? signVote({ kind: "commit", ...nil }, this.#signer)
          : signVote({ kind: "approve", validRound: -1, ...nil }, this.#signer),
      ];
    }
    return this.#does("withholds", 0.5) ? [] : [vote];
  }

  #onOwnVote({ kind, height, round, managerId }: Vote): void {
    if (managerId !== this.#node.id || kind === VoteKind.ACCEPT) return;
    const at = { height: Number(height), round };
    if (this.#does("votes twice", 0.5)) this.#vote(kind, { ...at, blockId: this.#anyBlock() });
    if (this.#does("votes elsewhere", 0.3)) {
      const elsewhere = this.#random.chance(0.5) ? this.#random.below(round + 1) : round + 5;
      this.#vote(kind, { ...at, round: elsewhere, blockId: this.#anyBlock() });
    }
  }

  #proposal(
    to: string,
    message: VoteMessage & { case: "proposal" },
    isNew: boolean,
  ): readonly VoteMessage[] {
    const proposal = message.value;
    if (isNew && this.#does("proposes old blocks", 0.3)) this.#proposeOld(proposal);
    if (isNew && proposal.validRound === -1 && this.#does("makes other blocks", 0.7)) {
      void this.#blocks.propose(proposal).then((blockId) => {
        if (blockId !== undefined) this.#known.set(toHex(blockId), blockId);
      });
    }
    // Who gets the other block need not get this one.
    const spared = this.#habits.has("makes other blocks") && this.#blocks.isFor(to, proposal);
    return spared || this.#does("withholds", 0.5) ? [] : [message];
  }

  #backAtOnce({ height, round, validRound, blockId }: Proposal): void {
    const at = { height: Number(height), round, blockId };
    this.#say({ kind: "accept", height: at.height, blockId });
    this.#say({ kind: "approve", validRound, ...at });
    this.#say({ kind: "commit", ...at });
  }

  /** An old block as if it were fresh, as if it were certified, or with its old certificate. */
  #proposeOld({ height, round }: Proposal): void {
    const blockId = this.#anyBlock();
    if (blockId.length === 0) return;
    const at = { kind: "propose", height: Number(height), round } as const;
    const validRound = this.#random.below(round + 1) - 1;
    const old = this.#certificates.before(round);
    const lockCertificate = this.#certificates.forge(at.height, Math.max(0, validRound), blockId);
    const polka = old?.polka;
    const proposals: readonly Parameters<typeof signProposal>[0][] = [
      { ...at, validRound: -1, blockId },
      ...(validRound < 0 ? [] : [{ ...at, validRound, blockId, lockCertificate }]),
      ...(old === undefined || polka === undefined
        ? []
        : [{ ...at, validRound: polka.round, blockId: polka.blockId, lockCertificate: old }]),
    ];
    this.#count("old block proposed");
    const value = signProposal(this.#random.pick(proposals), this.#signer);
    this.#node.say({ case: "proposal", value }, this.#some());
  }

  #vote(
    kind: VoteKind,
    at: { readonly height: number; readonly round: number; readonly blockId: Uint8Array },
  ): void {
    this.#count("second vote");
    if (kind === VoteKind.COMMIT) this.#say({ kind: "commit", ...at });
    else this.#say({ kind: "approve", validRound: -1, ...at });
  }

  #say(statement: VoteStatement): void {
    const value = signVote(statement, this.#signer);
    this.#node.say({ case: "vote", value }, this.#some());
  }

  /** A node that answered would have nothing left to say of the blocks of these rounds. */
  #inLaterRounds({ round, ...rest }: VerifyCandidate): readonly StorageMessage[] {
    this.#count("question about a later round");
    return Array.from({ length: roundsAhead }, (_, i) => ({
      case: "verify",
      value: { ...rest, round: round + 1 + i },
    }));
  }

  #at(height: number): void {
    if (height <= this.#height) return;
    this.#height = height;
    this.#known.clear();
    this.#handled = new WeakSet();
    this.#certificates.forget();
  }

  /** A block of the height, or nil. */
  #anyBlock(): Uint8Array {
    return this.#random.pick([...this.#known.values(), new Uint8Array()]);
  }

  #some(): readonly string[] {
    const { managerIds } = this.#world.consortium;
    return managerIds.filter((id) => id !== this.#node.id && this.#random.chance(0.5));
  }

  #does(habit: Habit, chance: number): boolean {
    return this.#habits.has(habit) && this.#random.chance(chance);
  }

  #count(what: string): void {
    this.#world.counters.count(`byzantine ${what}`);
  }
}
