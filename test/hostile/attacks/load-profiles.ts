/**
 * Load profiles, which are much to do for few bytes: long ones of a participant, and tiny ones by
 * the thousand that a manager relays and nobody has asked for.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { connect, loadProfile } from "../../../src/client/index.js";
import { BroadcastRequestSchema } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { createChannel } from "../../../src/rpc/channels/channel.js";
import { type Attack, Counts } from "../attack.js";
import { flood } from "../flood.js";
import { every } from "../pace.js";
import { dialRaw, frame } from "../raw-call.js";
import { compromised, honestParticipant } from "../target.js";

const intervalS = 3_600;
const zero = { importedWh: 0, exportedWh: 0, quality: "measured" } as const;
const dayS = 86_400;
const [ownerId] = compromised.participants;
const foreignMeter = honestParticipant.replace("participant", "meter");

/** As long as profiles may be, and as many as a submission may have of such. */
const longDays = 31;
const longPerSubmission = 130;
const inFlight = 2;
const everyMs = 1_000;

const tinyPerSubmission = 1_000;
const tinyIntervals = 4;
const streamsMax = 4;
const relayMs = 500;

export const loadProfiles: readonly Attack[] = [
  {
    name: "long-profiles",
    role: "participant",
    about: `submissions of ${longPerSubmission} load profiles of ${longDays} days of zeros`,
    run: async (target, signal) => {
      const profile = target.profile(ownerId);
      const client = await connect(profile);
      const expected = { consortiumName: profile.genesis.name, role: "manager" } as const;
      const channels = target.managers.map((address) =>
        createChannel({ address, tls: profile.tls, expected }),
      );
      const values = Array.from({ length: (longDays * dayS) / intervalS }, () => zero);
      const lastDay = Math.floor(Date.now() / 1_000 / dayS);
      let day = lastDay;
      const make = () =>
        Array.from({ length: longPerSubmission }, () => {
          // Back to 1970, and then the same again, which overlaps.
          day = (day > 2 * longDays ? day : lastDay) - longDays;
          const meterId = ownerId.replace("participant", "meter");
          return loadProfile({ ownerId, meterId, intervalS, startS: day * dayS, values });
        });
      try {
        return await flood({ client, channels, foreignMeter }, { make, inFlight, everyMs, signal });
      } finally {
        for (const each of [client, ...channels]) each.close();
      }
    },
  },
  {
    name: "relayed-profiles",
    role: "manager",
    about: `relays submissions of ${tinyPerSubmission} tiny load profiles of somebody else's meter`,
    run: async (target, signal) => {
      const counts = new Counts();
      const tls = target.tlsOf("manager");
      if (tls === undefined) return counts.tally;
      const client = await connect(target.profile(ownerId));
      const connections = await Promise.all(target.managers.map((each) => dialRaw(each, tls)));
      const calls = connections.flatMap((connection) =>
        Array.from({ length: streamsMax }, () =>
          connection.call("bss.v1.BroadcastService/Broadcast"),
        ),
      );
      for (const { stream } of calls) stream.resume();
      const hourS = tinyIntervals * intervalS;
      const startS = Math.floor(Date.now() / 1_000 / hourS) * hourS - dayS;
      const values = Array.from({ length: tinyIntervals }, () => zero);
      const tiny = { ownerId, meterId: foreignMeter, intervalS, startS, values };
      const records = Array.from({ length: tinyPerSubmission }, () => loadProfile(tiny));
      await every(relayMs, signal, () => {
        // Signed anew, so it is another one, with the same records.
        const value = client.sign(shuffled(records));
        const request = create(BroadcastRequestSchema, { message: { case: "submission", value } });
        const bytes = frame(toBinary(BroadcastRequestSchema, request));
        for (const call of calls) {
          const isOpen = !call.stream.closed && call.stream.writableLength === 0;
          if (isOpen) call.write(bytes);
          counts.add(isOpen ? "sent" : "not taken yet");
        }
      });
      for (const connection of connections) connection.close();
      client.close();
      return counts.tally;
    },
  },
];

/** Begins at another one of them. */
function shuffled(records: readonly Uint8Array[]): readonly Uint8Array[] {
  const first = Math.floor(Math.random() * records.length);
  return [...records.slice(first), ...records.slice(0, first)];
}
