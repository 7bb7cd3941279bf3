/** A light load for tests in which nodes come and go. */
import { utf8 } from "../../src/base/bytes.js";
import { type BssClient, document } from "../../src/client/index.js";

/**
 * Submits one document of participant-1 after the other, until it is stopped; what fails is passed
 * over.
 */
export function startNoteLoad(client: BssClient): { stop(): Promise<void> } {
  let going = true;
  const run = async () => {
    for (let i = 0; going; i++) {
      const content = utf8(`record ${i}`);
      const kind = { ownerId: "participant-1", mediaType: "text/plain", name: "note" };
      const record = document({ ...kind, content, timeMs: Date.now() });
      await client.submit(client.sign([record]), { timeoutMs: 20_000 }).catch(() => {});
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
