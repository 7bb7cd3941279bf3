import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { defined } from "../../../src/base/assert.js";
import { type BssClient, connect, UntrueAnswer } from "../../../src/client/index.js";
import { blockId } from "../../../src/ledger/blocks/block-hashes.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import { TestAuthority } from "../../support/pki.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { ToyConsortium } from "../../support/toy-consortium.js";

describe("watchBlocks", () => {
  const parent = temporaryDirectory();
  let toy: ToyConsortium;
  let client: BssClient;
  let records = 0;

  const append = (count = 1) => {
    for (let i = 0; i < count; i++) toy.ledger.append([Uint8Array.of(++records)]);
  };

  before(async () => {
    toy = await ToyConsortium.create(join(parent, "toy"), { managers: 4 });
    client = await connect(toy.profile("auditor-1", "auditors"));
    append(6);
  });
  afterEach(() => {
    for (const { misbehaviour } of toy.managers) delete misbehaviour.watched;
  });
  after(async () => {
    client.close();
    await toy.close();
  });

  /** Reads until `last`; each block makes one more as long as there are too few. */
  const heightsUpTo = async (last: number, from?: number, onReconnect?: () => void) => {
    const heights: number[] = [];
    for await (const { height } of client.watchBlocks(from, onReconnect ? { onReconnect } : {})) {
      heights.push(Number(height));
      if (Number(height) === last) return heights;
      if (toy.ledger.height < last) append();
    }
    return assert.fail("a watch has no end");
  };

  const range = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i);

  test("gives old blocks and then new ones", async () => {
    assert.deepEqual(await heightsUpTo(12, 3), range(3, 12));
  });

  test("without a height it begins after the head", async () => {
    const head = toy.ledger.height;
    for (const { calls } of toy.managers) calls.length = 0;
    const watching = heightsUpTo(head + 2);
    while (!toy.managers.some(({ calls }) => calls.includes("watchBlocks"))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    append(2);
    assert.deepEqual(await watching, [head + 1, head + 2]);
  });

  test("goes on after the last block when streams end, over all managers", async () => {
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.watched = (block, sent) => (sent === 2 ? undefined : block);
    }
    let reconnects = 0;
    const last = toy.ledger.height + 3;
    const heights = await heightsUpTo(last, 1, () => {
      reconnects += 1;
    });
    assert.deepEqual(heights, range(1, last));
    assert.ok(reconnects >= last / 2 - 1, `${reconnects} reconnects`);
  });

  test("goes on when a manager dies", async () => {
    const own = await connect(toy.profile("auditor-1", "auditors"));
    const heights: number[] = [];
    const last = toy.ledger.height + 1;
    for await (const { height } of own.watchBlocks(last - 2)) {
      heights.push(Number(height));
      if (heights.length === 2) {
        await toy.manager(0).stop();
        append();
      }
      if (Number(height) === last) break;
    }
    own.close();
    await toy.manager(0).start();
    assert.deepEqual(heights, range(last - 2, last));
  });

  test("ends when TLS refuses every manager, as it would refuse again", async () => {
    const { certPem } = await TestAuthority.create("foreign");
    const { tls, ...profile } = toy.profile("auditor-1", "auditors");
    const foreign = await connect({ ...profile, tls: { ...tls, caPem: certPem } });
    const reconnects: string[] = [];
    const onReconnect = ({ message }: Error) => void reconnects.push(message);
    await assert.rejects(
      async () => {
        for await (const _ of foreign.watchBlocks(1, { onReconnect })) assert.fail("a block");
      },
      (error) => {
        assert.ok(error instanceof RpcError);
        assert.match(error.message, /^no manager could answer: .*certificate/);
        return true;
      },
    );
    assert.equal(reconnects.length, 3, "each of the other managers was tried once");
    foreign.close();
  });

  test("ends like a call when nobody was ever there", async () => {
    const addresses = ["127.0.0.1:1"];
    const own = await connect({ ...toy.profile("auditor-1", "auditors"), addresses });
    let reconnects = 0;
    const onReconnect = () => {
      reconnects += 1;
    };
    await assert.rejects(
      async () => {
        for await (const _ of own.watchBlocks(1, { onReconnect })) assert.fail("a block");
      },
      (error) => error instanceof RpcError && error.reason === "NODE_UNREACHABLE",
    );
    assert.ok(reconnects > 0, "it did not try again");
    own.close();
  });

  test("takes no gap and no repeat from a manager, but asks the next one", async () => {
    for (const [title, wrong] of [
      ["gap", (sent: number) => sent + 3],
      ["repeat", (sent: number) => sent],
    ] as const) {
      const own = await connect(toy.profile("auditor-1", "auditors"));
      toy.manager(0).misbehaviour.watched = (block, sent) =>
        sent === 0 ? block : { ...block, height: BigInt(wrong(sent)) };
      const heights: number[] = [];
      for await (const { height } of own.watchBlocks(1)) {
        heights.push(Number(height));
        if (heights.length === 5) break;
      }
      own.close();
      assert.deepEqual(heights, range(1, 5), title);
    }
  });

  test("throws when a block does not follow the one before it", async () => {
    const fork = await ToyConsortium.create(join(parent, "fork"), { managers: 1 });
    for (const byte of [200, 201]) fork.ledger.append([Uint8Array.of(byte)]);
    const other = defined(await fork.ledger.finalBlock(2), "two blocks were made");
    await fork.close();
    const forked = { block: other.block, blockId: blockId(other.block.header) };
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.watched = (block, sent) => (sent === 1 ? { ...block, ...forked } : block);
    }
    await assert.rejects(heightsUpTo(3, 1), (error) => {
      assert.ok(error instanceof UntrueAnswer);
      assert.match(error.message, /block 2 does not follow the block before it: a fork/);
      return true;
    });
  });
});
