/** Requests of 32 KiB that are 32 MiB when they are inflated, many at a time. */
import { type Attack, Counts } from "../attack.js";
import { endOf, every } from "../pace.js";
import { dialRaw, gzipFrame } from "../raw-call.js";
import { unknownField } from "../wire.js";

const inflatedBytes = 32 * 1024 * 1024 - 1024;
const atOnce = 60;
const intervalMs = 4_000;
const answerMs = 15_000;

const doors = [
  { name: "gzip-bombs", role: "participant", method: "bss.v1.BroadcastService/Submit" },
  {
    name: "gzip-bombs-invited",
    role: "invited",
    method: "bss.v1.RegistrationService/RegisterParticipant",
  },
] as const;

export const gzipBombs: readonly Attack[] = doors.map(({ name, role, method }) => ({
  name,
  role,
  about: `${atOnce} requests at once that inflate to 32 MiB each`,
  run: async (target, signal) => {
    const counts = new Counts();
    const tls = target.tlsOf(role);
    if (tls === undefined) return counts.tally;
    const bytes = gzipFrame(unknownField(inflatedBytes));
    await every(intervalMs, signal, async (turn) => {
      const connection = await dialRaw(target.manager(turn), tls).catch(() => undefined);
      if (connection === undefined) return counts.add("no connection");
      const answers = Array.from({ length: atOnce }, () => {
        const call = connection.call(method, { encoding: "gzip" });
        call.end(bytes);
        return call.answer();
      });
      for (const answer of answers) {
        counts.add(await endOf(answer, answerMs, signal));
      }
      connection.close();
    });
    return counts.tally;
  },
}));
