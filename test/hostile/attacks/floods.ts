/** A participant that submits without end: records that are all refused, or all fine. */
import { connect, document, meterReading } from "../../../src/client/index.js";
import { type Attack, Counts } from "../attack.js";
import { pause } from "../pace.js";
import { compromised } from "../target.js";

const recordsPerSubmission = 1_000;
const senders = 6;
const timeoutMs = 60_000;
const hourS = 3_600;

type Flood = {
  readonly name: string;
  readonly about: string;
  readonly participant: string;
  /** Between two submissions of one sender, ms. */
  readonly pauseMs: number;
  /** Makes what makes the records of each submission. */
  readonly maker: (ownerId: string) => () => readonly Uint8Array[];
};

const [first, second] = compromised.participants;
const floods: readonly Flood[] = [
  {
    name: "refused-records",
    about: "submissions of 999 readings of somebody else's meter, and a record that is right",
    participant: first,
    pauseMs: 500,
    maker: (ownerId) => {
      const startS = Math.floor(Date.now() / 1_000 / hourS) * hourS - 2 * hourS;
      const wrong = () =>
        meterReading({
          ...{ ownerId, meterId: "meter-1", intervalStartS: startS, intervalS: hourS },
          ...{ importedWh: 1, exportedWh: 1 },
        });
      // What was refused can be sent again and again for nothing.
      const refused = Array.from({ length: recordsPerSubmission - 1 }, wrong);
      return () => [note(ownerId), ...refused];
    },
  },
  {
    name: "legal-records",
    about: "submissions of 1,000 records that keep every rule",
    participant: second,
    pauseMs: 1_000,
    maker: (ownerId) => () => Array.from({ length: recordsPerSubmission }, () => note(ownerId)),
  },
];

/** Salted, so no two are the same. */
function note(ownerId: string): Uint8Array {
  return document({
    ...{ ownerId, mediaType: "text/plain", name: "note", timeMs: Date.now() - 60_000 },
    content: new Uint8Array(100),
  });
}

export const participantFloods: readonly Attack[] = floods.map((flood) => ({
  name: flood.name,
  role: "participant",
  about: flood.about,
  run: async (target, signal) => {
    const counts = new Counts();
    const profile = target.profile(flood.participant);
    const addresses = target.managers;
    const next = flood.maker(flood.participant);
    const send = async (number: number) => {
      const client = await connect({ ...profile, addresses: [target.manager(number)] });
      while (!signal.aborted) {
        try {
          await client.submit(client.sign(next()), { timeoutMs, signal });
          counts.add("final");
        } catch (error) {
          if (signal.aborted) break;
          const reason =
            error instanceof Error && "reason" in error ? String(error.reason) : "error";
          counts.add(reason);
        }
        await pause(flood.pauseMs, signal);
      }
      client.close();
    };
    await Promise.all(Array.from({ length: senders }, (_, i) => send(i % addresses.length)));
    return counts.tally;
  },
}));
