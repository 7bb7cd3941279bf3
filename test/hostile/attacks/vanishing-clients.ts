/** Clients that send many calls, read no answer, and are gone without a word. */
import { type Attack, Counts } from "../attack.js";
import { every, pause } from "../pace.js";
import { dialRaw, frame } from "../raw-call.js";

const callsMax = 40;
const clientsMax = 8;
const windowBytes = 2 ** 31 - 1;
const sentMs = 10;
const heldMs = 3_000;
const intervalMs = 500;

export const vanishingClients: Attack = {
  name: "vanishing",
  role: "auditor",
  about: "clients that pipeline calls, read nothing and vanish",
  run: async (target, signal) => {
    const counts = new Counts();
    const tls = target.tlsOf("auditor");
    if (tls === undefined) return counts.tally;
    await every(intervalMs, signal, async (turn) => {
      const address = target.manager(turn);
      const clients = await Promise.all(
        Array.from({ length: clientsMax }, () =>
          dialRaw(address, tls, { windowBytes }).catch(() => undefined),
        ),
      );
      for (const client of clients) {
        if (client === undefined) {
          counts.add("no connection");
          continue;
        }
        for (let i = 0; i < callsMax; i++) {
          client.call("bss.v1.QueryService/ListBlocks").end(frame(new Uint8Array()));
        }
        counts.add("calls", callsMax);
        await pause(sentMs, signal);
        client.stopReading();
      }
      await pause(heldMs, signal);
      for (const client of clients) client?.vanish();
      counts.add("vanished", clientsMax);
    });
    return counts.tally;
  },
};
