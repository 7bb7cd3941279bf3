/**
 * What other managers say: on the VoteService streams that they have dialled, and as answers on
 * those that this one has dialled. Each message is checked for shape, its signatures are verified,
 * and only then does it go to the part that it is for. A message that fails is dropped and counted;
 * it never ends the stream and never reaches the core.
 *
 * Messages of one stream are taken one after the other, so a peer that floods waits for itself.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type RateLimit, RateLimits } from "../../base/rate-limits.js";
import { err, type Result } from "../../base/result.js";
import { heightsWatchedBehind } from "../../consensus/height/evidence-watch.js";
import { partsOfLockCertificate } from "../../consensus/height/lock-certificate.js";
import type { Ring } from "../../consensus/ring/ring.js";
import type { LockCertificate } from "../../gen/bss/v1/block_pb.js";
import type {
  Attestation,
  CandidateEntries,
  ManagerBlocks,
  Proposal,
  SignedHead,
  Vote,
  VoteRequest,
  VoteResponse,
  VoteResponseSchema,
} from "../../gen/bss/v1/vote_pb.js";
import type { SignatureCheck } from "../../ledger/certificates/signature-check.js";
import {
  checkAttestation,
  checkHead,
  checkProposal,
  checkVote,
} from "../../ledger/certificates/votes.js";
import { managersMax } from "../../ledger/members/member-lists.js";
import { type Violation, violation } from "../../ledger/violation.js";
import type { BlockSync } from "../../node/block-sync.js";
import type { CallContext, ServerStream } from "../../rpc/server/handlers.js";
import type { FailStop } from "../fail-stop.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { Abstention } from "../ring/abstention.js";
import type { BlockJudge } from "../ring/block-judge.js";
import type { CandidateBlocks } from "../ring/candidate-blocks.js";
import type { CompactBodies } from "../ring/compact-bodies.js";
import type { RingInbox } from "../ring/ring-inbox.js";
import {
  rangeOf,
  readAnswer,
  type ShippedBlocks,
  type ShippedManagerBlock,
} from "../ring/shipped-blocks.js";
import type { TipWatch } from "../screening/tip-watch.js";
import type { StorageSupervision } from "../storage-nodes/storage-supervision.js";
import type { HeadAnnouncer } from "../supervision/head-announcer.js";
import type { Supervision } from "../supervision/supervision.js";
import type { ProposalRelays } from "./proposal-relays.js";
import type { Waste } from "./waste.js";

type Context = Pick<
  ManagerContext,
  "selfId" | "consortiumId" | "members" | "signatures" | "monotonicMs"
> & {
  readonly waste: Pick<Waste, "rest">;
  readonly observer: Pick<ManagerObserver, "dropped" | "voteReceived" | "attestationReceived">;
};

export type PeerReceiverParts = {
  readonly ring: Pick<Ring, "height">;
  readonly inbox: Pick<RingInbox, "post">;
  readonly candidates: CandidateBlocks;
  /** Hears who holds which proposal. */
  readonly relays: Pick<ProposalRelays, "hear">;
  readonly judge: Pick<BlockJudge, "takeBody" | "takeCompact">;
  readonly compact: Pick<CompactBodies, "keep" | "takeEntries" | "answer">;
  readonly abstention: Pick<Abstention, "listening" | "hearOwn" | "hearHead">;
  readonly tip: Pick<TipWatch, "hear">;
  readonly supervision: Pick<Supervision, "isNews" | "takeHead" | "take" | "takeBlocks">;
  readonly storageSupervision: Pick<StorageSupervision, "wantsLate" | "noteAttestation" | "take">;
  readonly announcer: Pick<HeadAnnouncer, "remind">;
  readonly blocks: Pick<ShippedBlocks, "forManagers">;
  readonly sync: Pick<BlockSync<ShippedManagerBlock>, "onHeight" | "take">;
  readonly failStop: Pick<FailStop, "failed">;
};

export type VoteMessage = Exclude<VoteRequest["message"], { case: undefined }>;

/**
 * Heads of one manager: it says a few a second (supervision/head-announcer.ts), and a little later
 * the same again, so one that is left out is missed by nobody. A head that is not what this manager
 * holds costs a signature, and two reads of blocks.
 */
export const headLimit: RateLimit = { perSecond: 30, burst: 120 };
/** What a head counts as that is not what this manager holds there: three such a second. */
export const differingHeadPrice = 10;

export class PeerReceiver {
  readonly #context: Context;
  readonly #parts: PeerReceiverParts;
  readonly #heads = new RateLimits({ ...headLimit, causersMax: managersMax });

  constructor(context: Context, parts: PeerReceiverParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** A message on a stream that this manager dialled. */
  async onResponse(from: string, { message }: VoteResponse): Promise<void> {
    const { judge } = this.#parts;
    if (message.case === "body") await judge.takeBody(message.value.block);
    if (message.case === "entries") await this.#takeEntries(from, message.value);
    if (message.case === "blocks") await this.#takeBlocks(from, message.value);
  }

  /** The handler of VoteService.Vote. */
  async serve(
    context: CallContext,
    stream: ServerStream<VoteRequest, MessageInitShape<typeof VoteResponseSchema>>,
  ): Promise<void> {
    const from = context.identity.id;
    for await (const { message } of stream.messages) {
      await this.#context.waste.rest(from);
      switch (message.case) {
        case undefined:
          break;
        case "fetchBody": {
          const candidate = this.#parts.candidates.get(message.value.blockId);
          if (candidate === undefined) break;
          await stream.write({ message: { case: "body", value: { block: candidate.block } } });
          break;
        }
        case "fetchEntries": {
          const value = this.#parts.compact.answer(from, message.value);
          if (value !== undefined) await stream.write({ message: { case: "entries", value } });
          break;
        }
        case "fetchBlocks": {
          const range = rangeOf(message.value);
          await stream.writeInTurn(async () => {
            const value = await this.#parts.blocks.forManagers(...range);
            return { message: { case: "blocks", value } };
          });
          break;
        }
        default:
          await this.take(from, message);
      }
    }
  }

  async take(from: string, message: VoteMessage): Promise<void> {
    switch (message.case) {
      case "vote":
        return this.#takeVote(from, message.value);
      case "proposal":
        return this.#takeProposal(from, message.value);
      case "attestation":
        return this.takeAttestation(from, message.value);
      case "lockCertificate":
        return this.#takeCertificate(from, message.value);
      case "head":
        return this.#takeHead(from, message.value);
      case "evidence":
      case "resume":
      case "fork":
        return this.#parts.supervision.take(from, message);
      case "operation":
      case "unreachable":
      case "finding":
        return this.#parts.storageSupervision.take(from, message);
      default:
        return;
    }
  }

  /** Also what storage nodes send. */
  async takeAttestation(from: string, attestation: Attestation): Promise<void> {
    const { members, consortiumId, observer } = this.#context;
    const { storageSupervision, inbox } = this.#parts;
    const { height, nodeId } = attestation;
    // A storage node follows the chain by other means than a manager's heads.
    const isOfInterest =
      from === nodeId ? this.#isAbout(height, 0) : this.#isOfInterest(from, height);
    if (!isOfInterest && !storageSupervision.wantsLate(attestation)) return;
    if (!(await this.#holds(from, [checkAttestation(attestation, members(), consortiumId)])))
      return;
    observer.attestationReceived(attestation);
    storageSupervision.noteAttestation(attestation, from);
    if (isOfInterest) inbox.post({ kind: "attestation", attestation });
  }

  async #takeVote(from: string, vote: Vote): Promise<void> {
    if (!this.#isOwnOrOfInterest(from, vote)) return;
    const { members, consortiumId, observer } = this.#context;
    if (!(await this.#holds(from, [checkVote(vote, members(), consortiumId)]))) return;
    this.#noticeOwn([vote]);
    if (vote.height >= BigInt(this.#parts.ring.height)) this.#parts.relays.hear(from, vote);
    observer.voteReceived(vote);
    this.#parts.inbox.post({ kind: "vote", vote });
  }

  async #takeProposal(from: string, proposal: Proposal): Promise<void> {
    if (!this.#isOwnOrOfInterest(from, proposal)) return;
    const { members, consortiumId, observer } = this.#context;
    const { ring, candidates, relays, inbox, judge } = this.#parts;
    const checks = [checkProposal(proposal, members(), consortiumId)];
    if (proposal.lockCertificate !== undefined) {
      checks.push(...this.#checksOf(proposal.lockCertificate));
    }
    if (!(await this.#holds(from, checks))) return;
    const { block, compact, ...rest } = proposal;
    const { height, round, managerId, lockCertificate } = rest;
    this.#noticeOwn([rest, ...approvalsOf(lockCertificate)]);
    // At a decided height it may not be known any more whose turn it was, and does not matter.
    if (height < BigInt(ring.height)) return inbox.post({ kind: "proposal", proposal: rest });
    if (members().proposer(Number(height), round) !== managerId) {
      return observer.dropped(from, "NOT_THE_PROPOSER");
    }
    const isKept = block === undefined && this.#keep(from, proposal);
    relays.hear(from, rest);
    if (block !== undefined) candidates.add(Number(height), block);
    // Bodies are kept once and bounded by number; an event that waits must not hold one.
    inbox.post({ kind: "proposal", proposal: rest });
    // A relay of the same proposal may have been here before, without the body.
    await (isKept ? judge.takeCompact(proposal.blockId) : judge.takeBody(block));
  }

  /** Only a proposer's own word makes this manager put a body together, or ask for parts of it. */
  #keep(from: string, { managerId, height, blockId, compact }: Proposal): boolean {
    if (compact === undefined || from !== managerId) return false;
    return this.#parts.compact.keep(compact, { from, height: Number(height), blockId });
  }

  async #takeEntries(from: string, entries: CandidateEntries): Promise<void> {
    const { compact, candidates, judge } = this.#parts;
    const rebuilt = compact.takeEntries(from, entries);
    if (rebuilt === undefined) return;
    candidates.add(rebuilt.height, rebuilt.block);
    await judge.takeBody(rebuilt.block);
  }

  async #takeCertificate(from: string, certificate: LockCertificate): Promise<void> {
    if (!this.#isOfInterest(from, certificate.polka?.height ?? 0n)) return;
    if (!(await this.#holds(from, this.#checksOf(certificate)))) return;
    this.#noticeOwn(approvalsOf(certificate));
    this.#parts.inbox.post({ kind: "lock-certificate", certificate });
  }

  async #takeHead(from: string, head: SignedHead): Promise<void> {
    const { members, consortiumId, observer, monotonicMs } = this.#context;
    const { abstention, supervision } = this.#parts;
    if (this.#heads.take(from, 1, monotonicMs()) > 0) {
      return observer.dropped(from, "HEADS_TOO_FREQUENT");
    }
    if (head.managerId !== from) return observer.dropped(from, "HEAD_OF_ANOTHER");
    const check = checkHead(head, members(), consortiumId);
    // Most heads say what is known here already: then the signature is not worth verifying.
    const verify = !check.ok || abstention.listening || supervision.isNews(head);
    if (verify && !(await this.#holds(from, [check]))) return;
    await this.#hearHead(from, head, verify);
  }

  /** A peer's own head; `verified` if its signature has been looked at. */
  async #hearHead(from: string, head: SignedHead, verified: boolean): Promise<void> {
    const { abstention, tip, supervision, sync, failStop } = this.#parts;
    if (failStop.failed) return;
    const height = Number(head.height);
    sync.onHeight(from, height, { exact: true });
    abstention.hearHead(from, height);
    tip.hear(from);
    if (!verified || (await supervision.takeHead(head)) === "fits") return;
    this.#heads.charge(from, differingHeadPrice - 1, this.#context.monotonicMs());
  }

  async #takeBlocks(from: string, blocks: ManagerBlocks): Promise<void> {
    const { supervision, sync, failStop } = this.#parts;
    const taken = await supervision.takeBlocks(from, blocks);
    if (!taken && !failStop.failed) sync.take(readAnswer(from, blocks));
  }

  /** Every signature in it, or one refusal when there are more than members who could sign. */
  #checksOf(certificate: LockCertificate): readonly Result<SignatureCheck, Violation>[] {
    const { consortiumId } = this.#context;
    const members = this.#context.members();
    const { polka, approval, integrity } = certificate;
    const managersMax = members.managers.length;
    const isTooLong =
      (polka?.approvals.length ?? 0) > managersMax ||
      (approval?.signatures.length ?? 0) > managersMax ||
      (integrity?.signatures.length ?? 0) > members.storageNodes.length;
    if (isTooLong) {
      const message = "There are more signatures than members who could have signed.";
      return [err(violation("CERTIFICATE_INVALID", message))];
    }
    const { votes, attestations } = partsOfLockCertificate(certificate);
    return [
      ...votes.map((vote) => checkVote(vote, members, consortiumId)),
      ...attestations.map((entry) => checkAttestation(entry, members, consortiumId)),
    ];
  }

  async #holds(
    from: string,
    checks: readonly Result<SignatureCheck, Violation>[],
  ): Promise<boolean> {
    const { observer, signatures } = this.#context;
    const obligations: SignatureCheck[] = [];
    for (const check of checks) {
      if (!check.ok) {
        observer.dropped(from, check.error.reason);
        return false;
      }
      obligations.push(check.value);
    }
    const invalid = await signatures.firstInvalid(obligations);
    if (invalid !== undefined) observer.dropped(from, invalid.violation.reason);
    return obligations.length > 0 && invalid === undefined;
  }

  #noticeOwn(statements: readonly (Vote | Proposal)[]): void {
    for (const statement of statements) {
      if (statement.managerId === this.#context.selfId) this.#parts.abstention.hearOwn(statement);
    }
  }

  #isOwnOrOfInterest(from: string, { height, managerId }: Vote | Proposal): boolean {
    const isOwn = managerId === this.#context.selfId && height >= BigInt(this.#parts.ring.height);
    return isOwn || this.#isOfInterest(from, height, heightsWatchedBehind);
  }

  /**
   * Whether a message of a manager is about this height or the next. An older one shows that the
   * sender is behind; it is of interest only where it may show that a manager contradicts itself.
   */
  #isOfInterest(from: string, height: bigint, heightsBehind = 0): boolean {
    const { ring, announcer, sync, failStop } = this.#parts;
    const current = BigInt(ring.height);
    if (height < current && !failStop.failed) announcer.remind(from);
    // Who speaks of a height holds the block before it.
    const isAhead = height > current && height <= BigInt(Number.MAX_SAFE_INTEGER);
    if (isAhead && !failStop.failed) sync.onHeight(from, Number(height) - 1);
    return this.#isAbout(height, heightsBehind);
  }

  #isAbout(height: bigint, heightsBehind: number): boolean {
    const current = BigInt(this.#parts.ring.height);
    return height >= current - BigInt(heightsBehind) && height <= current + 1n;
  }
}

function approvalsOf(certificate: LockCertificate | undefined): readonly Vote[] {
  return certificate === undefined ? [] : partsOfLockCertificate(certificate).votes;
}
