/** One record while fewer storage nodes are there than the policy asks for. */
import { utf8 } from "../../../src/base/bytes.js";
import { connect, document, RpcError } from "../../../src/client/index.js";
import { type Attack, Counts } from "../attack.js";
import { pause } from "../pace.js";
import { compromised } from "../target.js";

const [ownerId] = compromised.participants;
/** Longer than a node may be silent before it is suspended. */
const silenceMs = 25_000;
const timeoutMs = 5_000;

export const tooFewStorageNodes: Attack = {
  name: "too-few-storage-nodes",
  role: "participant",
  about: "one record, waited for again and again, below min_storage",
  stops: ["storage-4"],
  secondsMin: 55,
  bounds: { honestRecordsMin: 0, latencyFactorMax: Number.POSITIVE_INFINITY },
  run: async (target, signal) => {
    const counts = new Counts();
    await pause(silenceMs, signal);
    const client = await connect(target.profile(ownerId));
    const record = document({
      ownerId,
      mediaType: "text/plain",
      name: "note",
      timeMs: Date.now() - 60_000,
      content: utf8("one record"),
    });
    while (!signal.aborted) {
      try {
        await client.submit(client.sign([record]), { timeoutMs, signal });
        counts.add("final");
      } catch (error) {
        if (signal.aborted) break;
        counts.add(error instanceof RpcError ? error.reason : "error");
      }
      await pause(1_000, signal);
    }
    client.close();
    return counts.tally;
  },
};
