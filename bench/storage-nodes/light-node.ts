/**
 * A light storage node: its own identity, keys and links, over a chain that it shares with the
 * others of its process. To managers it is a storage node like any: it dials them over mutual TLS,
 * attests what it finds right to all of them, and says its head after each block.
 */
import { toBinary } from "@bufbuild/protobuf";
import { toHex } from "../../src/base/bytes.js";
import { systemTime } from "../../src/base/time.js";
import { type Ed25519Signer, ed25519Signer } from "../../src/crypto/ed25519.js";
import {
  type VerifyIntegrityResponse,
  VerifyIntegrityResponseSchema,
} from "../../src/gen/bss/v1/verify_integrity_pb.js";
import type { Attestation } from "../../src/gen/bss/v1/vote_pb.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import type { TlsCredentials } from "../../src/rpc/tls/tls.js";
import { parseAnswer } from "../../src/storage-node/chain/inbound-messages.js";
import { ManagerLinks } from "../../src/storage-node/manager-links.js";
import { lightDial, type SharedDecoder } from "./light-dial.js";
import type { Replica } from "./replica.js";
import type { Traffic } from "./traffic.js";

export type LightNodeOptions = {
  readonly nodeId: string;
  readonly genesis: GenesisState;
  readonly tls: TlsCredentials;
  readonly signingSeed: Uint8Array;
  readonly replica: Replica;
  readonly traffic: Traffic;
  readonly decoder: SharedDecoder;
};

export class LightNode {
  readonly nodeId: string;
  readonly #replica: Replica;
  readonly #traffic: Traffic;
  readonly #signer: Ed25519Signer;
  readonly #links: ManagerLinks;
  /** By "round/block": what was signed for the open height. */
  #attested = new Map<string, Attestation | undefined>();
  #height = 0;

  constructor(options: LightNodeOptions) {
    const { nodeId, genesis, tls, signingSeed, replica, traffic, decoder } = options;
    this.nodeId = nodeId;
    this.#replica = replica;
    this.#traffic = traffic;
    this.#signer = ed25519Signer(signingSeed);
    this.#links = new ManagerLinks({
      nodeId,
      members: genesis.members,
      dial: lightDial(genesis, tls, decoder),
      time: systemTime,
      queueMessagesMax: 10_000,
      queueBytesMax: 64 * 1024 * 1024,
      observe: {
        changed() {},
        dropped: (messages) => traffic.note("out", "dropped", messages, 0),
      },
    });
    this.#links.start({
      greeting: () => [{ message: { case: "head" as const, value: replica.headMessage() } }],
      onMessage: (managerId, message) => this.#take(managerId, message),
      onDisconnected() {},
    });
  }

  /** How many managers it is linked with. */
  get linkCount(): number {
    return this.#links.connectedIds.length;
  }

  close(): Promise<void> {
    return this.#links.close();
  }

  async #take(managerId: string, response: VerifyIntegrityResponse): Promise<void> {
    const { message } = response;
    if (message.case === "verify") {
      const candidate = this.#replica.candidateOf(message.value);
      if (candidate === undefined) return;
      const place = `${message.value.round}/${toHex(candidate.block.blockId)}`;
      const length = () => toBinary(VerifyIntegrityResponseSchema, response).length;
      this.#traffic.noteSame("in", "candidates", `${managerId}/${place}`, length);
      await this.#attest(managerId, place, candidate);
    }
    if (message.case === "commit") {
      const commit = this.#replica.commitOf(message.value);
      if (commit === undefined) return;
      const kind = message.value.block === undefined ? "certificates" : "final blocks";
      const length = () => toBinary(VerifyIntegrityResponseSchema, response).length;
      this.#traffic.noteSame("in", kind, `${managerId}/${commit.height}`, length);
      await this.#replica.commit(commit);
      this.#sayHead();
    }
    if (message.case === "blocks") {
      for (const block of parseAnswer(managerId, message.value).blocks) {
        await this.#replica.commit({ ...block, blockId: block.block.blockId, shipped: block });
      }
      this.#sayHead();
    }
  }

  /** Asks a manager for what the process missed; false when it has no link. */
  fetch(fromHeight: number): boolean {
    const value = { fromHeight: BigInt(fromHeight), limit: 10 };
    const [managerId] = this.#links.connectedIds;
    const message = { message: { case: "fetchBlocks" as const, value } };
    return managerId !== undefined && this.#links.send(message, managerId);
  }

  #sayHead(): void {
    if (this.#replica.head.height <= this.#height) return;
    this.#height = this.#replica.head.height;
    this.#attested = new Map();
    const value = this.#replica.headMessage();
    if (this.#links.send({ message: { case: "head", value } })) {
      this.#traffic.noteUp("heads", { message: { case: "head", value } }, this.linkCount);
    }
  }

  async #attest(
    managerId: string,
    place: string,
    candidate: Parameters<Replica["attest"]>[0],
  ): Promise<void> {
    if (candidate.block.height <= this.#height) return;
    const again = this.#attested.has(place);
    const value =
      this.#attested.get(place) ??
      (await this.#replica.attest(candidate, this.nodeId, (digest) => this.#signer.sign(digest)));
    this.#attested.set(place, value);
    if (value === undefined) return;
    const message = { message: { case: "attestation" as const, value } };
    this.#links.send(message, again ? managerId : undefined);
    this.#traffic.noteUp("attestations", message, again ? 1 : this.linkCount);
  }
}
