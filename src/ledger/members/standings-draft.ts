/** How the managers stand while a block's operations are applied; see manager-suspensions.ts. */
import {
  type Evidence,
  type ResumeManager,
  type SuspendManager,
  SuspensionMode,
} from "../../gen/bss/v1/genesis_pb.js";
import { evidenceHeight, tooEarly } from "../certificates/evidence.js";
import { compareIds } from "../ids.js";
import { invalidOperation, type Violation } from "../violation.js";
import {
  absencesWith,
  resumeLagMax,
  resumePossibleAtMs,
  suspensionRoom,
} from "./manager-suspensions.js";
import type { Manager, Standing } from "./member-lists.js";
import type { OperationPlace } from "./operations.js";

/** Operations come here well formed; a refusal is OPERATION_INVALID and changes nothing. */
export class StandingsDraft {
  readonly #place: OperationPlace;
  /** In ring order. */
  readonly #managers: Map<string, Manager>;
  readonly #absent = new Set<string>();
  #changed = false;

  constructor(managers: readonly Manager[], place: OperationPlace) {
    this.#place = place;
    this.#managers = new Map(managers.map((each) => [each.managerId, each]));
  }

  suspend({ managerId }: SuspendManager): Violation | undefined {
    const { policy, timestampMs } = this.#place;
    const field = "suspend_manager.manager_id";
    const manager = this.#managers.get(managerId);
    if (manager === undefined) return invalidOperation("No manager has this id.", field);
    if (policy.suspension !== SuspensionMode.FLOOR) {
      return invalidOperation("By this consortium's policy no manager is suspended.", field);
    }
    if (!manager.active) return invalidOperation("The manager is suspended already.", field);
    if (suspensionRoom([...this.#managers.values()], policy) === 0) {
      return invalidOperation("Fewer than a quorum would stay active.", field);
    }
    const absences = absencesWith(manager, timestampMs, policy);
    this.#change(manager, { ...this.#suspended("absent"), absences });
    this.#absent.add(managerId);
    return undefined;
  }

  resume({ managerId, suspendedHeight, heldHeight }: ResumeManager): Violation | undefined {
    const { policy, height, timestampMs } = this.#place;
    const path = "resume_manager";
    const manager = this.#managers.get(managerId);
    if (manager === undefined)
      return invalidOperation("No manager has this id.", `${path}.manager_id`);
    if (manager.reason !== "absent" || manager.offenceHeight > 0) {
      return invalidOperation("The manager is not suspended as absent.", `${path}.manager_id`);
    }
    if (suspendedHeight !== BigInt(manager.changedHeight)) {
      const message = `Block ${manager.changedHeight} suspended it, not ${suspendedHeight}.`;
      return invalidOperation(message, `${path}.suspended_height`);
    }
    if (heldHeight >= height || heldHeight < height - resumeLagMax) {
      const message = `It does not hold a block from ${height - resumeLagMax} to ${height - 1}.`;
      return invalidOperation(message, `${path}.held_height`);
    }
    if (timestampMs < resumePossibleAtMs(manager, policy)) {
      return invalidOperation("It has not waited long enough.", path);
    }
    const changed = { changedHeight: height, changedAtMs: timestampMs };
    this.#change(manager, { active: true, reason: undefined, ...changed });
    return undefined;
  }

  accuse(evidence: Evidence): Violation | undefined {
    const field = "evidence.manager_id";
    const manager = this.#managers.get(evidence.managerId);
    if (manager === undefined) return invalidOperation("No manager has this id.", field);
    if (manager.offenceHeight > 0) {
      return invalidOperation("Evidence against the manager is recorded already.", field);
    }
    if (evidenceHeight(evidence) > this.#place.height) return tooEarly();
    this.#change(manager, { offenceHeight: this.#place.height });
    return undefined;
  }

  /** Managers that were suspended as absent; sorted. */
  absences(): readonly string[] {
    return [...this.#absent].sort(compareIds);
  }

  /**
   * The managers if the operations so far are all of the block's, in ring order; undefined if
   * nothing changed. Offenders are suspended here, as far as there is room.
   */
  conclude(): readonly Manager[] | undefined {
    const managers = [...this.#managers.values()];
    let changed = this.#changed;
    for (const [i, manager] of managers.entries()) {
      const after = this.#judged(manager, managers);
      if (after === manager) continue;
      managers[i] = after;
      changed = true;
    }
    return changed ? managers : undefined;
  }

  #judged(manager: Manager, managers: readonly Manager[]): Manager {
    const { policy } = this.#place;
    const isOffender = manager.offenceHeight > 0 && manager.reason !== "equivocated";
    if (!isOffender || policy.suspension !== SuspensionMode.FLOOR) return manager;
    if (!manager.active) return { ...manager, reason: "equivocated" };
    if (suspensionRoom(managers, policy) === 0) return manager;
    return { ...manager, ...this.#suspended("equivocated") };
  }

  #suspended(reason: NonNullable<Standing["reason"]>) {
    const { height, timestampMs } = this.#place;
    return { active: false, reason, changedHeight: height, changedAtMs: timestampMs };
  }

  #change(manager: Manager, standing: Partial<Standing>): void {
    this.#managers.set(manager.managerId, { ...manager, ...standing });
    this.#changed = true;
  }
}
