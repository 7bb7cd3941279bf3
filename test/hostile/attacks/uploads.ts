/** Messages of 32 MiB that are announced, sent but for the last byte, and held. */
import type { Role } from "../../../src/rpc/tls/tls-identity.js";
import { type Attack, Counts } from "../attack.js";
import { every, pause } from "../pace.js";
import { dialRaw, frame } from "../raw-call.js";
import { unknownField } from "../wire.js";

const messageBytes = 32 * 1024 * 1024;
const chunkBytes = 1024 * 1024;
const callsMax = 6;
const heldMs = 5_000;

const doors: readonly { readonly role: Role; readonly method: string }[] = [
  { role: "participant", method: "bss.v1.BroadcastService/Submit" },
  { role: "invited", method: "bss.v1.RegistrationService/RegisterStorageNode" },
  { role: "storage", method: "bss.v1.VerifyIntegrityService/VerifyIntegrity" },
  { role: "manager", method: "bss.v1.VoteService/Vote" },
];

export const uploads: readonly Attack[] = doors.map(({ role, method }) => ({
  name: `uploads-${role}`,
  role,
  about: `${callsMax} messages of 32 MiB that never end`,
  run: async (target, signal) => {
    const counts = new Counts();
    const tls = target.tlsOf(role);
    if (tls === undefined) return counts.tally;
    const bytes = frame(unknownField(messageBytes - 16));
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length - 1; at += chunkBytes) {
      chunks.push(bytes.subarray(at, Math.min(at + chunkBytes, bytes.length - 1)));
    }
    await every(1_000, signal, async (turn) => {
      const connection = await dialRaw(target.manager(turn), tls).catch(() => undefined);
      if (connection === undefined) return counts.add("no connection");
      const calls = Array.from({ length: callsMax }, () => connection.call(method));
      for (const chunk of chunks) {
        for (const call of calls) call.write(chunk);
        // So that answers are heard meanwhile, as a careful sender hears them.
        await pause(2, signal);
        if (signal.aborted) break;
      }
      const ended = calls.map((call) => call.answer());
      const held = pause(heldMs, signal).then(() => "held to the end");
      for (const each of ended) counts.add(await Promise.race([each, held]));
      connection.close();
    });
    return counts.tally;
  },
}));
