/**
 * Why a storage node has halted: as it is kept on disk, told to managers, and answered to whoever
 * asks.
 */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Logger } from "pino";
import { fromHex, toHex, utf8, utf8Decode } from "../base/bytes.js";
import {
  type BlockCertificates,
  BlockCertificatesSchema,
  type CommitCertificate,
} from "../gen/bss/v1/block_pb.js";
import {
  type GetForkResponse,
  GetForkResponseSchema,
  QueryService,
} from "../gen/bss/v1/query_pb.js";
import { compareIds } from "../ledger/ids.js";
import type { Metrics } from "../metrics/metrics.js";
import type { RpcServer } from "../rpc/server/server.js";
import type { MessageToManager } from "./manager-links.js";

export type HaltEvidence = {
  /** For people. */
  readonly message: string;
  readonly height: number;
  /** Those by which the block is final that this node holds, for a fork. */
  readonly own?: BlockCertificates;
  /** Those of the block that contradicts what this node holds or computes. */
  readonly other: BlockCertificates;
};

const textMax = 500;

/** Whether the node takes part no more. Then whoever asks is told why, and its health says so. */
export class HaltState {
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #server: RpcServer;
  #evidence: HaltEvidence | undefined;

  constructor(log: Logger, metrics: Metrics, server: RpcServer) {
    this.#log = log;
    this.#metrics = metrics;
    this.#server = server;
  }

  get evidence(): HaltEvidence | undefined {
    return this.#evidence;
  }

  halt(evidence: HaltEvidence): void {
    this.#evidence = evidence;
    const { message } = evidence;
    const next = "halted: keep the data directory and tell the managers' operators";
    this.#log.fatal({ reason: message }, next);
    this.#metrics.halted.set(1);
    const { getStatus, getFork } = QueryService.method;
    this.#server.refuseCalls("NODE_HALTED", message, [getStatus, getFork]);
  }
}

export function encodeHalt({ message, height, own, other }: HaltEvidence): Uint8Array {
  const certificates = own === undefined ? {} : { certificates: hexOf(own) };
  return utf8(
    JSON.stringify({ message, height, ...certificates, otherCertificates: hexOf(other) }),
  );
}

/** If evidence does not decode, the node still halts, but does not know why. */
export function decodeHalt(bytes: Uint8Array): HaltEvidence {
  const unknown = create(BlockCertificatesSchema);
  try {
    const kept = JSON.parse(utf8Decode(bytes) ?? "") as Record<string, unknown>;
    const { message = "the chain forks", height = 0 } = kept;
    const { certificates: own, otherCertificates: other } = kept;
    return {
      message: String(message),
      height: Number(height),
      ...(typeof own === "string" && { own: ofHex(own) }),
      other: typeof other === "string" ? ofHex(other) : unknown,
    };
  } catch {
    return { message: "the chain forks", height: 0, other: unknown };
  }
}

/** What every manager is told, on every link. */
export function haltMessages(evidence: HaltEvidence): readonly MessageToManager[] {
  const { message, height } = evidence;
  const text = message.slice(0, textMax);
  const notice: MessageToManager = {
    message: { case: "halt", value: { height: BigInt(height), text } },
  };
  const fork = forkOf(evidence);
  return fork === undefined ? [notice] : [notice, { message: { case: "fork", value: fork } }];
}

export function forkAnswer(evidence: HaltEvidence | undefined): GetForkResponse {
  if (evidence === undefined) return create(GetForkResponseSchema);
  const { message: halted, own, other } = evidence;
  const fork = forkOf(evidence);
  if (fork === undefined) {
    const contradicting = own === undefined && other.commit ? { contradicting: other.commit } : {};
    return create(GetForkResponseSchema, { halted, ...contradicting });
  }
  const { first, second } = fork;
  const both = signersOf(first).filter((id) => signersOf(second).includes(id));
  return create(GetForkResponseSchema, { halted, fork, accusedIds: both.sort(compareIds) });
}

function forkOf({ own, other }: HaltEvidence) {
  if (own?.commit === undefined || other.commit === undefined) return undefined;
  return { first: own.commit, second: other.commit };
}

function signersOf({ signatures }: CommitCertificate): string[] {
  return signatures.map(({ managerId }) => managerId);
}

function hexOf(certificates: BlockCertificates): string {
  return toHex(toBinary(BlockCertificatesSchema, certificates));
}

function ofHex(hex: string): BlockCertificates {
  return fromBinary(BlockCertificatesSchema, fromHex(hex) ?? new Uint8Array());
}
