/**
 * Whatever operations blocks bring in whatever order: a quorum stays active, an offender is active
 * only where there is no room to suspend it, nothing is forgotten, and the chain alone says how
 * everybody stands.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ControlOperation } from "../../../src/gen/bss/v1/genesis_pb.js";
import { votesEvidence } from "../../../src/ledger/certificates/evidence.js";
import { Members } from "../../../src/ledger/members/members.js";
import { membersOf } from "./consortium.js";
import { floorPolicy as policy } from "./support/consortium.js";
import { accuse, approveOf, resume, suspend } from "./support/statements.js";

const consortiums = [3, 4, 5, 7].map((managers) => membersOf({ managers, storage: 0 }));

type Attempt = { readonly kind: "suspend" | "resume" | "accuse"; readonly manager: number };

const attempts: fc.Arbitrary<Attempt> = fc.record({
  kind: fc.constantFrom("suspend", "suspend", "resume", "resume", "resume", "accuse"),
  manager: fc.nat(6),
});
const blocks = fc.array(
  fc.record({ waitMs: fc.constantFrom(1, 1_000, 70_000), tried: fc.array(attempts) }),
  { maxLength: 20 },
);

function operationOf({ kind, manager }: Attempt, members: Members, height: number) {
  const managerId = `manager-${manager + 1}`;
  if (kind === "suspend") return suspend(managerId);
  const since = members.manager(managerId)?.changedHeight ?? 0;
  if (kind === "resume") return resume(managerId, since, height - 1);
  return accuse(
    votesEvidence(approveOf({ managerId, block: "A" }), approveOf({ managerId, block: "B" })),
  );
}

function assertSound(before: Members, after: Members): void {
  assert.ok(after.activeManagerIds.length >= after.quorum);
  const hasRoom = after.activeManagerIds.length > after.quorum;
  for (const manager of after.managers) {
    const { active, reason, offenceHeight, absences } = manager;
    assert.equal(active, reason === undefined);
    assert.equal(reason === "equivocated", offenceHeight > 0 && !active);
    assert.ok(!(active && offenceHeight > 0 && hasRoom));
    assert.ok(!(reason === "absent" && absences === 0));
    const earlier = before.manager(manager.managerId);
    if (earlier?.reason === "equivocated") assert.deepEqual(manager, earlier);
  }
  assert.deepEqual(Members.decode(after.encode())?.managers, after.managers);
}

test("a quorum stays active, and offenders go as soon as there is room", () => {
  const seen = { suspended: 0, resumed: 0, recorded: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...consortiums), blocks, (consortium, plan) => {
      let members = consortium;
      let timestampMs = 1_000_000;
      for (const [i, { waitMs, tried }] of plan.entries()) {
        const height = i + 1;
        timestampMs += waitMs;
        const place = { policy, height, timestampMs };
        const control: ControlOperation[] = [];
        for (const attempt of tried) {
          const operation = operationOf(attempt, members, height);
          const fits = members.applyOperations([...control, operation], place);
          if (fits.ok) control.push(operation);
        }
        const after = members.applyOperations(control, place);
        assert.ok(after.ok);
        assertSound(members, after.value);
        for (const { operation } of control) {
          if (operation.case === "suspendManager") seen.suspended += 1;
          if (operation.case === "resumeManager") seen.resumed += 1;
          if (operation.case === "evidence") seen.recorded += 1;
        }
        members = after.value;
      }
    }),
    { numRuns: 150, seed: 7 },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 20, `${what}: ${count}`);
});
