/** Reads one node's whole ledger back through QueryService, and believes none of its digests. */
import { fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { toHex } from "../../src/base/bytes.js";
import { pages } from "../../src/client/bss-client.js";
import type { Connection } from "../../src/client/manager-connections.js";
import { checkedBlock } from "../../src/client/verify/answers.js";
import { StorageBlockHeaderSchema } from "../../src/gen/bss/v1/block_pb.js";
import { type ControlOperation, ControlOperationSchema } from "../../src/gen/bss/v1/genesis_pb.js";
import { type BlockView, QueryService } from "../../src/gen/bss/v1/query_pb.js";
import { leafHashOf } from "../../src/ledger/blocks/block-hashes.js";
import {
  appendLeaves,
  emptyFrontier,
  type Frontier,
  rootOf,
} from "../../src/ledger/merkle/frontier.js";
import type { BlockFact, ManagerChange, NodeLedger } from "./findings.js";

const pageSize = 100;
const timeoutMs = 30_000;

type Node = Pick<NodeLedger, "id" | "role">;

/** Throws `RpcError`, or `UntrueAnswer` for blocks that are not their ids. */
export async function readLedger(node: Node, connection: Connection): Promise<NodeLedger> {
  const { getStatus, getConsortium, listBlocks } = QueryService.method;
  const listed = pages(async (pageToken) => {
    const request = { fromHeight: 1n, pageSize, pageToken };
    const page = await connection.unary(listBlocks, request, { timeoutMs });
    return { items: page.blocks, nextPageToken: page.nextPageToken };
  });
  const blocks: BlockFact[] = [];
  let frontier = emptyFrontier;
  for await (const view of listed) {
    checkedBlock(view);
    frontier = grown(frontier, view);
    blocks.push(factOf(view, toHex(rootOf(frontier))));
  }
  const status = await connection.unary(getStatus, {}, { timeoutMs });
  const { history } = await connection.unary(getConsortium, {}, { timeoutMs });
  const head = {
    height: Number(status.height),
    blockId: toHex(status.blockId),
    treeSize: Number(status.treeSize),
    root: toHex(status.root),
  };
  const told = history.flatMap(({ height, operation }) =>
    operation === undefined
      ? []
      : managerChanges([operation]).map((change) => ({ ...change, height: Number(height) })),
  );
  return { id: node.id, role: node.role, head, blocks, history: told };
}

function grown(frontier: Frontier, view: BlockView): Frontier {
  const leaves = view.block?.leaves ?? [];
  return appendLeaves(frontier, leaves.map(leafHashOf)).frontier;
}

function factOf(view: BlockView, computedRoot: string): BlockFact {
  const header = defined(view.header, "checkedBlock has read the header");
  const block = defined(view.block, "checkedBlock has read the block");
  const operations = block.control.map((bytes) => fromBinary(ControlOperationSchema, bytes));
  const storage =
    view.storageHeader.length > 0
      ? fromBinary(StorageBlockHeaderSchema, view.storageHeader)
      : undefined;
  return {
    height: Number(view.height),
    blockId: toHex(view.blockId),
    previousBlockId: toHex(header.previousBlockId),
    timestampMs: Number(header.timestampUnixMs),
    treeSize: Number(header.treeSize),
    hash1: toHex(header.hash1),
    ...(storage && {
      storage: {
        hash2: toHex(storage.hash2),
        managerBlockId: toHex(storage.managerBlockId),
      },
    }),
    computedRoot,
    leaves: block.leaves.map(({ recordHash }) => toHex(recordHash)),
    changes: managerChanges(operations),
    accepters: signersOf(view.certificates?.approval),
    committers: signersOf(view.certificates?.commit),
  };
}

function signersOf(certificate: { signatures: { managerId: string }[] } | undefined) {
  return certificate?.signatures.map(({ managerId }) => managerId) ?? [];
}

function managerChanges(operations: readonly ControlOperation[]): readonly ManagerChange[] {
  return operations.flatMap(({ operation }): readonly ManagerChange[] => {
    switch (operation.case) {
      case "suspendManager":
        return [{ managerId: operation.value.managerId, kind: "suspend" }];
      case "resumeManager":
        return [{ managerId: operation.value.managerId, kind: "resume" }];
      case "evidence":
        return [{ managerId: operation.value.managerId, kind: "evidence" }];
      default:
        return [];
    }
  });
}
