/** A participant that submits without end: records that are refused, or that are all right. */
import { connect } from "../../../src/client/index.js";
import { createChannel } from "../../../src/rpc/channels/channel.js";
import type { Attack } from "../attack.js";
import type { FloodReport, FloodTarget } from "../flood.js";
import { legalFlood } from "../legal-flood.js";
import { refusalFlood } from "../refusal-flood.js";
import { compromised, honestParticipant } from "../target.js";

type Flood = {
  readonly name: string;
  readonly about: string;
  readonly participant: string;
  readonly run: (target: FloodTarget, signal: AbortSignal) => Promise<FloodReport>;
};

const [first, second] = compromised.participants;
const floods: readonly Flood[] = [
  {
    name: "refused-records",
    about: "submissions of 999 readings of somebody else's meter, and a record that is right",
    participant: first,
    run: refusalFlood,
  },
  {
    name: "legal-records",
    about: "submissions of 1,000 records that keep every rule",
    participant: second,
    run: legalFlood,
  },
];
const foreignMeter = honestParticipant.replace("participant", "meter");

export const participantFloods: readonly Attack[] = floods.map((flood) => ({
  name: flood.name,
  role: "participant",
  about: flood.about,
  run: async (target, signal) => {
    const profile = target.profile(flood.participant);
    const client = await connect(profile);
    const expected = { consortiumName: profile.genesis.name, role: "manager" } as const;
    const channels = target.managers.map((address) =>
      createChannel({ address, tls: profile.tls, expected }),
    );
    try {
      return await flood.run({ client, channels, foreignMeter }, signal);
    } finally {
      for (const each of [client, ...channels]) each.close();
    }
  },
}));
