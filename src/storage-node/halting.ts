/**
 * Why a storage node has halted: as it is kept on disk, told to managers, and answered to whoever
 * asks.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
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
import { encode } from "../ledger/wire.js";
import type { Metrics } from "../metrics/metrics.js";
import type { RpcServer } from "../rpc/server/server.js";
import type { AttestationMark } from "../store/double-sign-protection/attestation-mark.js";
import type { StorageNodeStore } from "../store/storage-node-store.js";
import { isDamage } from "../store/store-error.js";
import type { ManagerLinks, MessageToManager } from "./manager-links.js";

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

/** Both places where evidence is kept: either may lose it. */
type EvidencePlaces = {
  readonly store: Pick<StorageNodeStore, "saveForkEvidence" | "forkEvidence">;
  readonly mark: Pick<AttestationMark, "keepHalt" | "halt">;
};

/**
 * Halts the node, whatever its disk does. Rejects after that if the disk fails; damage of the data
 * directory is no failure, as the mark's store has the evidence.
 */
export async function haltForGood(
  evidence: HaltEvidence,
  node: EvidencePlaces & {
    readonly haltState: Pick<HaltState, "halt">;
    readonly links: Pick<ManagerLinks, "send">;
  },
): Promise<void> {
  const { store, mark, haltState, links } = node;
  const bytes = encodeHalt(evidence);
  const [stored, marked] = await Promise.allSettled([
    store.saveForkEvidence(bytes),
    mark.keepHalt(bytes),
  ]);
  haltState.halt(evidence);
  for (const message of haltMessages(evidence)) links.send(message);
  if (marked.status === "rejected") throw marked.reason;
  if (stored.status === "rejected" && !isDamage(stored.reason)) throw stored.reason;
}

/** What stopped the node for good; also when its data directory has lost it. */
export async function keptEvidence({
  store,
  mark,
}: EvidencePlaces): Promise<HaltEvidence | undefined> {
  const bytes = (await mark.halt()) ?? (await storedEvidence(store));
  return bytes && decodeHalt(bytes);
}

async function storedEvidence(store: EvidencePlaces["store"]): Promise<Uint8Array | undefined> {
  try {
    return await store.forkEvidence();
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

export function encodeHalt({ message, height, own, other }: HaltEvidence): Uint8Array {
  const certificates = own === undefined ? {} : { certificates: hexOf(own) };
  return utf8(
    JSON.stringify({ message, height, ...certificates, otherCertificates: hexOf(other) }),
  );
}

/** If evidence does not decode, the node still halts, but does not know why. */
function decodeHalt(bytes: Uint8Array): HaltEvidence {
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
  return toHex(encode(BlockCertificatesSchema, certificates));
}

function ofHex(hex: string): BlockCertificates {
  return fromBinary(BlockCertificatesSchema, fromHex(hex) ?? new Uint8Array());
}
