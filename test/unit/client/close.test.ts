import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type BssClient, connect, document } from "../../../src/client/index.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { ToyConsortium } from "../../support/toy-consortium.js";

describe("the end of a client", () => {
  const parent = temporaryDirectory();
  let toy: ToyConsortium;

  before(async () => {
    toy = await ToyConsortium.create(join(parent, "toy"));
  });
  after(() => toy.close());

  const called = async (method: string) => {
    while (!toy.managers.some(({ calls }) => calls.includes(method))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  const open = () => connect(toy.profile("participant-1"));

  const readAll = async (items: AsyncIterable<unknown>) => {
    for await (const _ of items);
  };

  const signed = (client: BssClient) =>
    client.sign([
      document({
        ownerId: "participant-1",
        mediaType: "text/plain",
        name: "",
        timeMs: Date.now(),
        content: new Uint8Array(),
      }),
    ]);

  test("ends a watch", async () => {
    const client = await open();
    const watching = readAll(client.watchBlocks(1));
    await called("watchBlocks");
    client.close();
    await assert.rejects(watching, { reason: "CANCELLED" });
  });

  test("ends a stream of submissions", async () => {
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.beforeOrder = () => new Promise(() => {});
    }
    const client = await open();
    const streaming = readAll(client.submitStream([signed(client)]));
    await called("submitStream");
    client.close();
    await assert.rejects(streaming, { reason: "CANCELLED" });
  });
});
