import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { askManagers } from "../../../src/client/ask-managers.js";
import type { Connection } from "../../../src/client/manager-connections.js";
import type { Reason } from "../../../src/rpc/reasons.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";

/** What each manager answers, by address; the last answer again and again. */
type Script = Readonly<Record<string, readonly (Reason | "done" | "tls")[]>>;

describe("asking managers for what any of them can do", () => {
  const ask = async (
    script: Script,
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ) => {
    const asked: string[] = [];
    const timesMs: number[] = [];
    let open = 0;
    const dial = (address: string) => {
      open += 1;
      return { address, close: () => (open -= 1) } as unknown as Connection;
    };
    const addresses = Object.keys(script);
    const to = { addresses: [...addresses, ...addresses], faultsMax: 1, dial };
    const answer = await askManagers(to, options, async ({ address }, { timeoutMs }) => {
      const before = asked.filter((each) => each === address).length;
      asked.push(address);
      timesMs.push(timeoutMs);
      const answer = script[address]?.[before] ?? script[address]?.at(-1) ?? "INTERNAL";
      if (answer === "tls") throw new RpcError("NODE_UNREACHABLE", "certificate has expired");
      if (answer !== "done") throw new RpcError(answer, `It is ${answer.toLowerCase()}.`);
      return address;
    }).catch((error: unknown) => {
      assert.ok(error instanceof RpcError, String(error));
      return error;
    });
    assert.equal(open, 0);
    return { answer, asked, timesMs };
  };
  const refusal = async (script: Script, options: { timeoutMs?: number } = {}) => {
    const { answer, asked } = await ask(script, options);
    assert.ok(answer instanceof RpcError);
    const { reason, status, message } = answer;
    return { reason, status, message, asked };
  };

  test("a manager that does it is found, however many others refuse", async () => {
    const script: Script = {
      a: ["INVITATION_INVALID"],
      b: ["MEMBER_ID_TAKEN"],
      c: ["NOT_AN_ISSUER"],
      d: ["INVITATION_INVALID"],
      e: ["done"],
    };
    for (let i = 0; i < 10; i++) assert.equal((await ask(script)).answer, "e");
  });

  test("each time another one is asked first", async () => {
    const firsts = new Set<string | undefined>();
    const script: Script = { a: ["done"], b: ["done"], c: ["done"] };
    for (let i = 0; i < 200 && firsts.size < 3; i++) firsts.add((await ask(script)).asked[0]);
    assert.equal(firsts.size, 3);
  });

  test("one that does not even say how it is, is left; one that does has its time", async () => {
    const left = new Set<string>();
    const dial = (address: string) =>
      ({
        address,
        unary: async () => {
          if (address !== "slow") throw new RpcError("DEADLINE", "Deadline exceeded after 2s");
        },
        close: () => {},
      }) as unknown as Connection;
    const addresses = ["silent", "mute", "slow"];
    const asked = { addresses, faultsMax: 0, dial, silenceMs: 1 };
    for (let i = 0; i < 200 && left.size < 2; i++) {
      const answer = await askManagers(asked, {}, async ({ address }, { signal }) => {
        if (address === "slow") return new Promise((resolve) => setTimeout(resolve, 20, address));
        return new Promise((_, reject) =>
          signal?.addEventListener("abort", () => {
            left.add(address);
            reject(new RpcError("CANCELLED", "cancelled"));
          }),
        );
      });
      assert.equal(answer, "slow");
    }
    assert.deepEqual([...left].sort(), ["mute", "silent"]);
  });

  test("the refusal that most gave is told, with who said what; each is asked once", async () => {
    const { reason, status, message, asked } = await refusal({
      a: ["MEMBER_ID_TAKEN"],
      b: ["INVITATION_USED_UP"],
      c: ["INVITATION_USED_UP"],
      d: ["NOT_AN_ISSUER"],
    });
    assert.equal(reason, "INVITATION_USED_UP");
    assert.equal(status, "PERMISSION_DENIED");
    assert.match(message, /^(b, c|c, b): It is invitation_used_up; /);
    assert.match(message, /a: It is member_id_taken \[MEMBER_ID_TAKEN\]/);
    assert.match(message, /d: It is not_an_issuer \[NOT_AN_ISSUER\]/);
    assert.deepEqual(asked.toSorted(), ["a", "b", "c", "d"]);
  });

  test("one that may do it later is asked again, those that refuse for good are not", async () => {
    const { answer, asked } = await ask({
      a: ["INVITATION_INVALID"],
      b: ["NODE_STARTING", "done"],
      c: ["NOT_AN_ISSUER"],
    });
    assert.equal(answer, "b");
    assert.deepEqual(asked.toSorted(), ["a", "b", "b", "c"]);
  });

  test("one liar among managers that are away does not end it, two that agree do", async (t) => {
    const away = ["NODE_UNREACHABLE"] as const;
    let nowMs = 0;
    const clock = mock.method(performance, "now", () => {
      nowMs += 100;
      return nowMs;
    });
    t.after(() => clock.mock.restore());
    // Time for each to be asked, and for those that are away to be asked once more.
    const one = await refusal({ a: ["INVITATION_INVALID"], b: away, c: away }, { timeoutMs: 600 });
    assert.equal(one.reason, "INVITATION_INVALID");
    assert.ok(one.asked.filter((each) => each === "b").length >= 2);
    assert.match(one.message, /(b, c|c, b): It is node_unreachable \[NODE_UNREACHABLE\]/);
    const two = await refusal({
      a: ["INVITATION_INVALID"],
      b: away,
      c: ["INVITATION_INVALID"],
    });
    assert.equal(two.reason, "INVITATION_INVALID");
    assert.equal(two.asked.length, 3);
  });

  test("managers that TLS refuses are not asked again, and refuse nothing themselves", async () => {
    const { reason, message, asked } = await refusal({ a: ["tls"], b: ["tls"], c: ["tls"] });
    assert.equal(reason, "NODE_UNREACHABLE");
    assert.match(message, /certificate has expired/);
    assert.equal(asked.length, 3);
    assert.equal((await ask({ a: ["tls"], b: ["NODE_STARTING", "done"], c: ["tls"] })).answer, "b");
  });

  test("managers that cannot be reached are given up long before those that may still do it", async (t) => {
    let nowMs = 0;
    // Each look at the clock is 2 s later, as the pauses between the rounds are real.
    const clock = mock.method(performance, "now", () => {
      nowMs += 2_000;
      return nowMs;
    });
    t.after(() => clock.mock.restore());
    const away = ["NODE_UNREACHABLE"] as const;
    const gone = await refusal({ a: away, b: away });
    assert.equal(gone.reason, "NODE_UNREACHABLE");
    assert.ok(nowMs < 20_000, String(nowMs));
    nowMs = 0;
    await refusal({ a: ["NODE_STARTING"], b: ["NODE_STARTING"] }, { timeoutMs: 20_000 });
    assert.ok(nowMs >= 20_000, String(nowMs));
  });

  test("what a single manager says is told as it is", async () => {
    const { reason, message } = await refusal({ a: ["INVITATION_EXPIRED"] });
    assert.deepEqual([reason, message], ["INVITATION_EXPIRED", "It is invitation_expired."]);
    assert.equal((await refusal({})).reason, "NODE_UNREACHABLE");
  });

  test("none may use up the time of those that are still to be asked", async () => {
    const no = ["NOT_AN_ISSUER"] as const;
    const { timesMs } = await ask({ a: no, b: no, c: no, d: no });
    const sharesMs = [30_000, 40_000, 60_000, 60_000];
    assert.equal(timesMs.length, 4);
    assert.ok(
      timesMs.every((ms, i) => ms > 0 && ms <= (sharesMs[i] ?? 0)),
      timesMs.join(),
    );
  });
});
