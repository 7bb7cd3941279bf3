/**
 * Operations about the suspension of managers that wait for a block: evidence against managers, and
 * resumes of suspended ones. At most one of each kind for each manager, whatever comes in.
 *
 * A resume costs a round when its manager is gone again, as the block then waits for its ACCEPT. So
 * it goes only into blocks of round 0, only if it came lately, and after one that failed this
 * manager waits for longer and longer before it tries that manager again. It goes along with every
 * suspension of an absent manager, too: where Q are active, one can only go as another one comes.
 *
 * Such a block may fail for ever, as whoever comes need not agree on who is gone, or is gone again.
 * So of the blocks that this manager makes at one height the next one does without the resumes, and
 * the one after that without suspensions: it lets those who were thought absent accept it.
 */
import { create, equals } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/bytes.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  type Evidence,
  type ResumeManager,
  ResumeManagerSchema,
} from "../../gen/bss/v1/genesis_pb.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import type { ManagerContext } from "../manager-context.js";

type Context = Pick<ManagerContext, "members" | "monotonicMs"> & {
  readonly head: () => { readonly height: number };
};

/** A resume is late when this many blocks have been appended since it came. */
const lateBlocks = 2;
/** Blocks that are left out after the first resume that failed; doubled with each further one. */
const backOffBlocks = 2;
const backOffBlocksMax = 256;
/** In an idle ring a block left out is over after this time. */
const blockMs = 2_000;
const callMs = 1_000;

type BuiltFacts = Pick<BlockFacts, "blockId" | "requiredAccepts" | "absences">;
type Resume = { readonly operation: ResumeManager; readonly receivedAt: number };
type BackOff = { blocks: number; untilHeight: number; untilMs: number };

/** A block that this manager has made. */
type BuiltSuspensions = {
  readonly blockId: Uint8Array;
  /** Managers that it makes active, and that it suspends as absent. */
  readonly resumed: readonly string[];
  readonly suspended: readonly string[];
};

export class SuspensionPool {
  readonly #context: Context;
  readonly #fits: (operation: ControlOperation) => boolean;
  readonly #evidence = new Map<string, Evidence>();
  readonly #resumes = new Map<string, Resume>();
  readonly #backOffs = new Map<string, BackOff>();
  #height: number;
  #calledAtMs = Number.NEGATIVE_INFINITY;
  /** The last one with resumes, and the last one, of the open height. */
  #builtWithResumes: BuiltSuspensions | undefined;
  #built: BuiltSuspensions | undefined;

  /** `fits`: whether the next block could begin with an operation, if it were made now. */
  constructor(context: Context, fits: (operation: ControlOperation) => boolean) {
    this.#context = context;
    this.#fits = fits;
    this.#height = context.head().height;
  }

  get evidence(): readonly Evidence[] {
    return [...this.#evidence.values()];
  }

  /** Whether evidence against this manager would add something. */
  wantsEvidence(managerId: string): boolean {
    const manager = this.#context.members().manager(managerId);
    return manager?.offenceHeight === 0 && !this.#evidence.has(managerId);
  }

  /** Takes evidence whose signatures have been verified; false when it is not wanted. */
  addEvidence(evidence: Evidence): boolean {
    if (!this.wantsEvidence(evidence.managerId)) return false;
    this.#evidence.set(evidence.managerId, evidence);
    return true;
  }

  /** Whether a resume says something that is neither known nor over. */
  wantsResume(resume: ResumeManager): boolean {
    const manager = this.#context.members().manager(resume.managerId);
    if (manager?.reason !== "absent" || manager.offenceHeight !== 0) return false;
    if (resume.suspendedHeight !== BigInt(manager.changedHeight)) return false;
    const known = this.#resumes.get(resume.managerId);
    if (known === undefined || known.receivedAt < this.#height) return true;
    return !equals(ResumeManagerSchema, known.operation, resume);
  }

  /** Takes a resume whose signature has been verified. */
  addResume(operation: ResumeManager): void {
    if (!this.wantsResume(operation)) return;
    this.#resumes.set(operation.managerId, { operation, receivedAt: this.#height });
  }

  /**
   * Whether a block should be made for something that waits. Says so once a second at most: the
   * proposer may lack it yet, or find that it does not fit by its clock.
   */
  callsForBlock(): boolean {
    const nowMs = this.#context.monotonicMs();
    if (nowMs - this.#calledAtMs < callMs) return false;
    if (!this.operations(0).some(this.#fits)) return false;
    this.#calledAtMs = nowMs;
    return true;
  }

  /** What a block that is made in `round` should carry, in this order, as far as it fits. */
  operations(round: number, absent: readonly string[] = []): readonly ControlOperation[] {
    const suspended = this.#suspensionsFailed ? [] : absent;
    const isAlong = suspended.length > 0 && !this.#resumesFailed;
    const resumes = round === 0 || isAlong ? this.#resumesToTry() : [];
    return [
      ...resumes.map((value) => operationOf({ case: "resumeManager", value })),
      ...this.evidence.map((value) => operationOf({ case: "evidence", value })),
      ...suspended.map((managerId) =>
        create(ControlOperationSchema, {
          operation: { case: "suspendManager", value: { managerId } },
        }),
      ),
    ];
  }

  /** This manager has made a block; it is still open whether it will be decided. */
  onBuilt({ blockId, requiredAccepts, absences: suspended }: BuiltFacts): void {
    const members = this.#context.members();
    const resumed = requiredAccepts.filter((id) => members.manager(id)?.active === false);
    this.#built = { blockId, resumed, suspended };
    if (resumed.length > 0) this.#builtWithResumes = this.#built;
  }

  /** Drops what a block has settled; the managers against whom evidence is settled now. */
  onAppended(height: number, blockId: Uint8Array): readonly string[] {
    this.#height = height;
    if (this.#builtWithResumes !== undefined) this.#noteOutcome(this.#builtWithResumes, blockId);
    this.#builtWithResumes = undefined;
    this.#built = undefined;
    const { members } = this.#context;
    for (const [id, { operation, receivedAt }] of this.#resumes) {
      const manager = members().manager(id);
      const over =
        manager === undefined ||
        manager.active ||
        operation.suspendedHeight !== BigInt(manager.changedHeight);
      if (over || height - receivedAt >= lateBlocks) this.#resumes.delete(id);
    }
    const settled = [...this.#evidence.keys()].filter(
      (id) => members().manager(id)?.offenceHeight !== 0,
    );
    for (const id of settled) this.#evidence.delete(id);
    return settled;
  }

  /** Whether the last block suspended managers and resumed others, and was not decided. */
  get #resumesFailed(): boolean {
    const { resumed, suspended } = this.#built ?? nothingBuilt;
    return resumed.length > 0 && suspended.length > 0;
  }

  /** Whether the last block suspended managers and resumed nobody, and was not decided. */
  get #suspensionsFailed(): boolean {
    const { resumed, suspended } = this.#built ?? nothingBuilt;
    return resumed.length === 0 && suspended.length > 0;
  }

  #resumesToTry(): readonly ResumeManager[] {
    const nowMs = this.#context.monotonicMs();
    return [...this.#resumes].flatMap(([id, { operation }]) => {
      const backOff = this.#backOffs.get(id);
      const waits =
        backOff !== undefined && this.#height < backOff.untilHeight && nowMs < backOff.untilMs;
      return waits ? [] : [operation];
    });
  }

  #noteOutcome({ blockId, resumed }: BuiltSuspensions, decided: Uint8Array): void {
    for (const id of resumed) {
      if (equalBytes(blockId, decided)) {
        this.#backOffs.delete(id);
        continue;
      }
      const last = this.#backOffs.get(id)?.blocks;
      const blocks = last === undefined ? backOffBlocks : Math.min(2 * last, backOffBlocksMax);
      this.#backOffs.set(id, {
        blocks,
        untilHeight: this.#height + blocks,
        untilMs: this.#context.monotonicMs() + blocks * blockMs,
      });
    }
  }
}

const nothingBuilt: Pick<BuiltSuspensions, "resumed" | "suspended"> = {
  resumed: [],
  suspended: [],
};

function operationOf(operation: ControlOperation["operation"]): ControlOperation {
  return create(ControlOperationSchema, { operation });
}
