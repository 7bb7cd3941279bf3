/** A participant that submits without end: records that are all refused, or all fine. */
import { utf8 } from "../../../src/base/bytes.js";
import { connect, document, meterReading } from "../../../src/client/index.js";
import { randomBytes } from "../../../src/crypto/random.js";
import { type Attack, Counts } from "../attack.js";
import { pause } from "../pace.js";
import { compromised } from "../target.js";

const recordsPerSubmission = 1_000;
const senders = 8;
const timeoutMs = 20_000;

type Flood = {
  readonly name: string;
  readonly about: string;
  readonly participant: string;
  readonly record: (ownerId: string) => Uint8Array;
};

const [first, second] = compromised.participants;
const floods: readonly Flood[] = [
  {
    name: "refused-records",
    about: "submissions of 1,000 records of which each breaks a rule",
    participant: first,
    // A meter that nobody has registered.
    record: (ownerId) =>
      meterReading({
        ...{ ownerId, meterId: "none", intervalStartS: 1_700_000_100, intervalS: 900 },
        ...{ importedWh: 1, exportedWh: 1 },
      }),
  },
  {
    name: "legal-records",
    about: "submissions of 1,000 records that keep every rule",
    participant: second,
    record: (ownerId) =>
      document({
        ...{ ownerId, mediaType: "text/plain", name: "note", timeMs: Date.now() - 60_000 },
        content: utf8(Buffer.from(randomBytes(24)).toString("hex")),
      }),
  },
];

export const participantFloods: readonly Attack[] = floods.map((flood) => ({
  name: flood.name,
  role: "participant",
  about: flood.about,
  run: async (target, signal) => {
    const counts = new Counts();
    const profile = target.profile(flood.participant);
    const addresses = target.managers;
    const send = async (number: number) => {
      const client = await connect({ ...profile, addresses: [target.manager(number)] });
      while (!signal.aborted) {
        const records = Array.from({ length: recordsPerSubmission }, () =>
          flood.record(flood.participant),
        );
        try {
          await client.submit(client.sign(records), { timeoutMs, signal });
          counts.add("final");
        } catch (error) {
          if (signal.aborted) break;
          const reason =
            error instanceof Error && "reason" in error ? String(error.reason) : "error";
          counts.add(reason);
        }
        await pause(100, signal);
      }
      client.close();
    };
    await Promise.all(Array.from({ length: senders }, (_, i) => send(i % addresses.length)));
    return counts.tally;
  },
}));
