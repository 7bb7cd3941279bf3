/**
 * A manager that breaks the rules. Inside runs an honest ring; around it, whatever it says goes to
 * some only, and it signs besides what it must not: other votes in the same round, votes for rounds
 * that are over or far ahead, two blocks for one turn, old certificates when they may do harm, and
 * bundles of things that do not belong together. Which of these it does is up to the seed.
 */
import { create } from "@bufbuild/protobuf";
import { toHex } from "../../src/base/bytes.js";
import type { Outgoing } from "../../src/consensus/events.js";
import {
  type LockCertificate,
  LockCertificateSchema,
  type ManagerBlock,
} from "../../src/gen/bss/v1/block_pb.js";
import { type Proposal, type Vote, VoteKind } from "../../src/gen/bss/v1/vote_pb.js";
import { buildApproval, buildPolka } from "../../src/ledger/certificates.js";
import type { ManagerNode, Twist } from "./manager-node.js";
import type { Message } from "./messages.js";
import type { Random } from "./random.js";
import { type Signer, signProposal, signVote, type VoteStatement } from "./statements.js";
import type { World } from "./world.js";

const habits = [
  "withholds",
  "votes twice",
  "votes at once",
  "votes elsewhere",
  "makes two blocks",
  "proposes old blocks",
  "repeats certificates",
  "bundles at random",
] as const;
type Habit = (typeof habits)[number];

const rememberedMax = 50;

export class Byzantine implements Twist {
  readonly #world: World;
  readonly #node: ManagerNode;
  readonly #random: Random;
  readonly #signer: Signer;
  readonly #habits: ReadonlySet<Habit>;
  #height = 0;
  /** Blocks of the height, by id in hex. */
  readonly #blocks = new Map<string, Uint8Array>();
  #certificates: LockCertificate[] = [];
  #votes: Vote[] = [];

  constructor(world: World, node: ManagerNode, random: Random) {
    this.#world = world;
    this.#node = node;
    this.#random = random;
    const { genesis, scheme } = world.consortium;
    this.#signer = {
      managerId: node.id,
      consortiumId: genesis.consortiumId,
      sign: (digest) => scheme.sign(node.id, digest),
    };
    this.#habits = new Set(habits.filter(() => random.chance(0.6)));
  }

  say(message: Outgoing): readonly string[] {
    const others = this.#world.consortium.managerIds.filter((id) => id !== this.#node.id);
    if (!this.#world.faulty) return others;
    if (message.kind === "vote") this.#onVote(message.vote);
    const isOwn = message.kind === "proposal" && message.proposal.managerId === this.#node.id;
    if (isOwn && this.#does("proposes old blocks", 0.3)) this.#proposeOld(message.proposal);
    if (isOwn && message.proposal.validRound === -1 && this.#does("makes two blocks", 0.7)) {
      return this.#proposeTwo(message.proposal, others);
    }
    return this.#does("withholds", 0.5) ? this.#some() : others;
  }

  heard(message: Outgoing): void {
    if (!this.#world.faulty) return;
    switch (message.kind) {
      case "proposal": {
        const { proposal } = message;
        this.#at(Number(proposal.height));
        this.#blocks.set(toHex(proposal.blockId), proposal.blockId);
        if (proposal.lockCertificate !== undefined) this.#remember(proposal.lockCertificate);
        if (this.#does("bundles at random", 0.3)) this.#acceptElsewhere(proposal);
        if (this.#does("votes at once", 0.5)) this.#backAtOnce(proposal);
        return;
      }
      case "lock-certificate":
        this.#at(Number(message.certificate.polka?.height ?? 0n));
        this.#remember(message.certificate);
        return;
      case "vote":
        if (this.#votes.length < rememberedMax) this.#votes.push(message.vote);
        else this.#votes[this.#random.below(rememberedMax)] = message.vote;
        if (this.#does("repeats certificates", 0.05)) this.#repeatCertificate();
        if (this.#does("bundles at random", 0.02)) this.#bundle();
        return;
      default:
    }
  }

  #onVote({ kind, height, round }: Vote): void {
    const at = { height: Number(height), round };
    if (kind === VoteKind.ACCEPT) return;
    if (this.#does("votes twice", 0.5)) this.#vote(kind, { ...at, blockId: this.#anyBlock() });
    if (this.#does("votes elsewhere", 0.3)) {
      const elsewhere = this.#random.chance(0.5) ? this.#random.below(round + 1) : round + 5;
      this.#vote(kind, { ...at, round: elsewhere, blockId: this.#anyBlock() });
    }
  }

  #backAtOnce({ height, round, validRound, blockId }: Proposal): void {
    const at = { height: Number(height), round, blockId };
    this.#say({ kind: "accept", height: at.height, blockId });
    this.#say({ kind: "approve", validRound, ...at });
    this.#say({ kind: "commit", ...at });
  }

  /** One block to some, another one to the rest. */
  #proposeTwo({ height, round }: Proposal, others: readonly string[]): readonly string[] {
    const services = this.#node.services;
    if (services === undefined || Number(height) !== this.#node.disk.head.height + 1) return others;
    const { block, executed } = services.tasks.make(round, 1 + this.#random.below(500));
    const { blockId } = executed.facts;
    services.process.candidates.add(Number(height), block);
    this.#blocks.set(toHex(blockId), blockId);
    const statement = { kind: "propose", height: Number(height), round, blockId } as const;
    const proposal = signProposal({ ...statement, validRound: -1 }, this.#signer);
    const some = this.#some();
    this.#count("two blocks for one turn");
    this.#send(some, { kind: "proposal", proposal }, block);
    return others.filter((id) => !some.includes(id));
  }

  /** An old block as if it were fresh, as if it were certified, or with its old certificate. */
  #proposeOld({ height, round }: Proposal): void {
    const blockId = this.#anyBlock();
    if (blockId.length === 0) return;
    const known = this.#certificates.filter(({ polka }) => (polka?.round ?? round) < round);
    const old = known.length === 0 ? undefined : this.#random.pick(known);
    const at = { kind: "propose", height: Number(height), round } as const;
    const validRound = this.#random.below(round + 1) - 1;
    const forged = this.#forge(at.height, Math.max(0, validRound), blockId);
    const proposals: readonly Parameters<typeof signProposal>[0][] = [
      { ...at, validRound: -1, blockId },
      ...(validRound < 0 ? [] : [{ ...at, validRound, blockId, lockCertificate: forged }]),
      ...(old?.polka === undefined
        ? []
        : [
            {
              ...at,
              validRound: old.polka.round,
              blockId: old.polka.blockId,
              lockCertificate: old,
            },
          ]),
    ];
    this.#count("old block proposed");
    const proposal = signProposal(this.#random.pick(proposals), this.#signer);
    this.#send(this.#some(), { kind: "proposal", proposal });
  }

  /** A certificate by nobody else. */
  #forge(height: number, round: number, blockId: Uint8Array): LockCertificate {
    const at = { height, round, blockId };
    const approve = signVote({ kind: "approve", validRound: -1, ...at }, this.#signer);
    const accept = signVote({ kind: "accept", height, blockId }, this.#signer);
    const approval = buildApproval([accept]);
    return create(LockCertificateSchema, { polka: buildPolka([approve]), approval });
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
    this.#send(this.#some(), { kind: "vote", vote: signVote(statement, this.#signer) });
  }

  #repeatCertificate(): void {
    if (this.#certificates.length === 0) return;
    this.#count("old certificate");
    const certificate = this.#random.pick(this.#certificates);
    this.#send(this.#some(), { kind: "lock-certificate", certificate });
  }

  /** Votes that were signed for other blocks, rounds or heights, as one certificate. */
  #bundle(): void {
    const approvals = this.#votes.filter(({ kind }) => kind === VoteKind.APPROVE);
    const accepts = this.#votes.filter(({ kind }) => kind === VoteKind.ACCEPT);
    if (approvals.length === 0 || accepts.length === 0) return;
    const [approval, accept] = [this.#random.pick(approvals), this.#random.pick(accepts)];
    const polka = buildPolka([approval]);
    polka.height = BigInt(this.#height);
    const certificate = create(LockCertificateSchema, { polka, approval: buildApproval([accept]) });
    this.#count("bundle of strangers");
    this.#send(this.#some(), { kind: "lock-certificate", certificate });
  }

  /** An ACCEPT for another height, in a certificate that says that it is for this one. */
  #acceptElsewhere({ height, round, blockId }: Proposal): void {
    const at = { height: Number(height), round, validRound: -1, blockId };
    const approve = signVote({ kind: "approve", ...at }, this.#signer);
    const accept = signVote({ kind: "accept", height: at.height + 1, blockId }, this.#signer);
    const polka = buildPolka([approve]);
    const certificate = create(LockCertificateSchema, { polka, approval: buildApproval([accept]) });
    this.#count("accept for another height");
    this.#send(this.#some(), { kind: "lock-certificate", certificate });
  }

  #remember(certificate: LockCertificate): void {
    if (this.#certificates.length < rememberedMax) this.#certificates.push(certificate);
  }

  #at(height: number): void {
    if (height <= this.#height) return;
    this.#height = height;
    this.#blocks.clear();
    this.#certificates = this.#certificates.slice(-3);
  }

  /** A block of the height, or nil. */
  #anyBlock(): Uint8Array {
    return this.#random.pick([...this.#blocks.values(), new Uint8Array()]);
  }

  #some(): readonly string[] {
    return this.#world.consortium.managerIds.filter(
      (id) => id !== this.#node.id && this.#random.chance(0.5),
    );
  }

  #send(to: readonly string[], message: Outgoing, body?: ManagerBlock): void {
    const wire: Message =
      body === undefined ? { kind: "ring", message } : { kind: "ring", message, body };
    for (const id of to) this.#world.network.send(this.#node.id, id, wire);
  }

  #does(habit: Habit, chance: number): boolean {
    return this.#habits.has(habit) && this.#random.chance(chance);
  }

  #count(what: string): void {
    this.#world.counters.count(`byzantine ${what}`);
  }
}
