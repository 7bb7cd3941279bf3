import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { systemTime } from "../../../../src/base/time.js";
import type { BroadcastRequestSchema } from "../../../../src/gen/bss/v1/broadcast_pb.js";
import { initialStanding } from "../../../../src/ledger/members/member-lists.js";
import { PeerLinks } from "../../../../src/manager/peers/peer-links.js";

const key = new Uint8Array(32);
const peer = {
  ...initialStanding,
  managerId: "manager-2",
  signingKey: key,
  vrfKey: key,
  hpkeKey: key,
  tlsSpkiSha256: key,
  address: "localhost:1",
};

type Message = MessageInitShape<typeof BroadcastRequestSchema>;

const submission = (...lengths: number[]): Message => ({
  message: {
    case: "submission",
    value: { records: lengths.map((length) => new Uint8Array(length)) },
  },
});
const verdict: Message = { message: { case: "verdict", value: { submissionIds: [] } } };
const objections = (count: number): Message => ({
  message: { case: "objections", value: { objections: Array.from({ length: count }, () => ({})) } },
});

describe("the links to another manager", () => {
  /** Streams that take one message and are never ready for the next. */
  function harness() {
    const taken: string[] = [];
    let streams = 0;
    const open = (kind: string) => {
      let end = () => {};
      const over = new Promise<boolean>((resolve) => {
        end = () => resolve(false);
      });
      const next = async () => {
        await over;
        return { done: true as const, value: undefined };
      };
      const name = `${kind} ${streams++}`;
      return {
        messages: { [Symbol.asyncIterator]: () => ({ next }) },
        opened: Promise.resolve(),
        write: () => over,
        writeEncoded: () => {
          taken.push(name);
          return over;
        },
        encode: () => Buffer.alloc(0),
        cancel: () => end(),
      };
    };
    const links = new PeerLinks({
      peers: [peer],
      dial: () => ({ vote: () => open("vote"), broadcast: () => open("broadcast"), close() {} }),
      time: systemTime,
      queueMessagesMax: 100,
      queueBytesMax: 1_000,
      onVoteResponse: () => {},
      onBroadcastResponse: async () => {},
      onLink: () => {},
      onBroadcastConnected: () => {},
      onDropped: () => {},
    });
    return { links, taken };
  }

  const settled = () => new Promise((resolve) => setImmediate(resolve));

  for (const [what, long, short] of [
    ["a verdict does not wait for a long submission", submission(10_000, 10_000), verdict],
    ["nor does a lone record", submission(16_385), submission(16_384)],
    ["nor few objections for many", objections(65), objections(64)],
  ] as const) {
    test(what, async () => {
      const { links, taken } = harness();
      await settled();
      for (const message of [long, long, short]) links.sendBroadcast("manager-2", message);
      await settled();
      assert.equal(new Set(taken).size, 2, `taken by ${taken.join(", ")}`);
      assert.equal(links.queueLength, 1, "the second long one");
      await links.close();
    });
  }
});
