/** This ledger as one of the systems that are compared. */

import { startLoop } from "../../src/cli/bench/loop.js";
import { documentsOf, hourlyReadings } from "../loads/readings.js";
import { withOwnConsortium } from "../own-consortium.js";
import { untilQuiet } from "../usage/quiet.js";
import type { Peer } from "./peer.js";

const sizes = { managers: 4, storage: 7, participants: 1 };

/** Bytes of the records that `hourlyReadings` makes. */
export function readingBytes(): number {
  return hourlyReadings("participant-1", 1)[0]?.length ?? 0;
}

export function ourPeer(): Peer {
  return {
    name: "bss-node",
    does:
      "verifies the client's signature on every manager, runs the rules, seals each record, " +
      "keeps it on 4 managers and 7 storage nodes that attest it, returns a receipt; gRPC over " +
      "mutual TLS; every statement on disk before it is sent",
    leavesOut: "–",
    run: (work) =>
      withOwnConsortium({ sizes }, async ({ nodes, clients, configs }) => {
        const client = clients[0];
        if (client === undefined) throw new Error("the consortium has no participant");
        const { id } = client.profile;
        const ofRole = (role: string) =>
          nodes.filter((node) => node.role === role).map(({ pid }) => pid);
        await work({
          pids: { validators: ofRole("manager"), replicas: ofRole("storage") },
          startLoop: ({ recordBytes, inFlight }, warmUpMs) => {
            const records = (count: number) =>
              recordBytes === readingBytes()
                ? hourlyReadings(id, count)
                : documentsOf(id, recordBytes, count);
            const load = { kind: "closed", batchRecords: 1, inFlight } as const;
            return startLoop(client, { load, records, warmUpMs });
          },
          settle: () => untilQuiet({ configs }),
        });
      }),
  };
}
