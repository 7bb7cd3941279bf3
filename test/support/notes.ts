/** Small records for tests that are about something else, and a light load of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { utf8 } from "../../src/base/bytes.js";
import { type BssClient, document } from "../../src/client/index.js";

/** A document of now with this text. */
export function noteOf(ownerId: string, text: string): Uint8Array {
  const content = utf8(text);
  return document({ ownerId, mediaType: "text/plain", name: "note", content, timeMs: Date.now() });
}

/** Leaves the nodes time to start and to fetch blocks, also on a machine with two cores. */
const pauseMs = 200;

/**
 * Submits one note of the client's participant after the other, until it is stopped; what fails is
 * passed over.
 */
export function startNoteLoad(client: BssClient): { stop(): Promise<void> } {
  let going = true;
  const run = async () => {
    for (let i = 0; going; i++) {
      const note = noteOf(client.profile.id, `record ${i}`);
      await client.submit(client.sign([note]), { timeoutMs: 20_000 }).catch(() => {});
      await sleep(pauseMs);
    }
  };
  const running = run();
  return {
    stop: () => {
      going = false;
      return running;
    },
  };
}
