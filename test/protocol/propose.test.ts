/** docs/protocol.md §4.1. */
import { describe } from "node:test";
import { rule } from "./support/rule.js";

describe("§4.1: propose", () => {
  rule(
    "R4.1.1",
    "The proposer of a round proposes a new block from its pool, made in that round.",
    `
bench managers=4 self=2
approve r1 nil 3 4
    asks build r1
built B1
    says PROPOSE r1 B1
    says ACCEPT B1
    says APPROVE r1 B1
`,
  );

  rule(
    "R4.1.1",
    "The proposer of a round proposes its validBlock, with its LC, if it has one.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
accept A0 1 3 4
approve r0 A0 1 3
    asks verify r0 A0 by 1 2 4
tick 300
    expires verify
    says COMMIT r0 nil
attest r0 A0
commit r0 nil 1 3
tick 400
    expires commit
    says PROPOSE r1 A0 valid r0
    says APPROVE r1 A0 valid r0
`,
  );

  rule(
    "R4.1.1",
    "Nobody but the proposer of a round makes a block for it.",
    `
bench managers=4 self=3
wake
approve r1 nil 1 2
`,
  );

  rule(
    "R4.1.2",
    "An idle ring starts no height: time alone does nothing.",
    `
bench managers=4 self=1
tick 100000
status
    at height 4 round 0 step idle
wake
    asks build r0
status
    at height 4 round 0 step propose
`,
  );

  rule(
    "R4.1.2",
    "What f+1 managers say about h starts it.",
    `
bench managers=4 self=3
commit r0 nil 4
status
    at height 4 round 0 step idle
approve r0 nil 2
status
    at height 4 round 0 step propose
`,
  );

  rule(
    "R4.1.2",
    "What one manager says starts it when it has been open for 5 s.",
    `
bench managers=4 self=3
commit r0 nil 4
tick 4999
status
    at height 4 round 0 step idle
tick 1
status
    at height 4 round 0 step propose
`,
  );

  rule(
    "R4.1.2",
    "The first proposal of its proposer for round 0 starts it.",
    `
bench managers=4 self=3
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
status
    at height 4 round 0 step propose
`,
  );

  rule(
    "R4.1.2",
    "What storage nodes say does not start a height.",
    `
bench managers=4 self=3
attest r0 A0
status
    at height 4 round 0 step idle
`,
  );

  rule(
    "R4.1.4",
    "Every manager relays each round's first valid proposal once.",
    `
bench managers=4 self=3
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
propose r0 A0
propose r0 B0
    accuses 1 of proposals
propose r1 C1
    sends PROPOSE r1 C1 of 2
    asks validate C1, held by 2
`,
  );

  rule(
    "R4.1.4",
    "Whoever lacks the body fetches it from managers that have shown to hold it.",
    `
bench managers=4 self=3
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
accept A0 2
approve r0 A0 4
tick 5000
    expires propose
    says APPROVE r0 nil
    sends PROPOSE r0 A0 of 1
    sends APPROVE r0 A0 of 4
    sends ACCEPT A0 of 2
    asks validate A0, held by 1 2 4
`,
  );
});
