/** Who was suspended from which block to which, read from the changes of membership. */
import type { MembershipChange } from "../../gen/bss/v1/query_pb.js";

export type Absence = {
  readonly managerId: string;
  readonly fromHeight: number;
  /** The block that resumed it; undefined while it is away. */
  readonly toHeight?: number;
  readonly why: "absent" | "equivocated";
};

/** Newest first, from changes that come oldest first. */
export function absencesOf(history: readonly MembershipChange[]): readonly Absence[] {
  const found: Absence[] = [];
  for (const { height, operation } of history) {
    const change = operation?.operation;
    const at = Number(height);
    if (change?.case === "suspendManager") {
      found.push({ managerId: change.value.managerId, fromHeight: at, why: "absent" });
    } else if (change?.case === "evidence") {
      found.push({ managerId: change.value.managerId, fromHeight: at, why: "equivocated" });
    } else if (change?.case === "resumeManager") {
      const last = found.findLastIndex(({ managerId }) => managerId === change.value.managerId);
      const open = found[last];
      if (open !== undefined) found[last] = { ...open, toHeight: at };
    }
  }
  return found.toReversed();
}
