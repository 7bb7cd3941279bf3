/**
 * A storage node that stores nothing: it signs MATCH with the root that the block states, and an
 * audit digest that it invents. All that it has is the key and certificate of a node that belongs.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { sha256 } from "../../src/crypto/hash.js";
import {
  type VerifyCandidate,
  type VerifyIntegrityRequestSchema,
  type VerifyIntegrityResponse,
  VerifyIntegrityService,
} from "../../src/gen/bss/v1/verify_integrity_pb.js";
import { AttestationSchema, AttestationVerdict } from "../../src/gen/bss/v1/vote_pb.js";
import { blockId } from "../../src/ledger/blocks/block-hashes.js";
import { parseHeader } from "../../src/ledger/blocks/block-parsing.js";
import { attestationDigest } from "../../src/ledger/certificates/vote-digests.js";
import type { RpcChannel } from "../../src/rpc/channels/channel.js";
import { createClient } from "../../src/rpc/channels/typed-client.js";

type Up = MessageInitShape<typeof VerifyIntegrityRequestSchema>;

export type EchoingNodeOptions = {
  readonly nodeId: string;
  readonly consortiumId: Uint8Array;
  /** Signs a 32-byte digest with the node's key. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
  /** One to each manager. */
  readonly channels: readonly RpcChannel[];
};

export class EchoingNode {
  readonly #options: EchoingNodeOptions;
  readonly #streams: { offer(message: Up): boolean; cancel(): void }[] = [];
  #attested = 0;

  constructor(options: EchoingNodeOptions) {
    this.#options = options;
    for (const channel of options.channels) {
      const stream = createClient(VerifyIntegrityService, channel).verifyIntegrity();
      this.#streams.push(stream);
      stream.offer({ message: { case: "head", value: {} } });
      this.#listen(stream.messages).catch(() => {});
    }
  }

  /** How many blocks it has vouched for. */
  get attested(): number {
    return this.#attested;
  }

  close(): void {
    for (const stream of this.#streams.splice(0)) stream.cancel();
  }

  async #listen(messages: AsyncIterable<VerifyIntegrityResponse>): Promise<void> {
    for await (const { message } of messages) {
      if (message.case === "verify") this.#attest(message.value);
    }
  }

  #attest({ round, block }: VerifyCandidate): void {
    const { nodeId, consortiumId, sign } = this.#options;
    const bytes = block?.header ?? new Uint8Array();
    const parsed = parseHeader(bytes);
    if (!parsed.ok) return;
    const { height, treeSize, header } = parsed.value;
    const place = { round, blockId: blockId(bytes), hash2: header.hash1 };
    const claim = { ...place, verdict: AttestationVerdict.MATCH, audit: sha256(bytes) };
    const signature = sign(attestationDigest({ ...claim, consortiumId, height, treeSize }));
    const value = create(AttestationSchema, {
      ...claim,
      height: BigInt(height),
      treeSize: BigInt(treeSize),
      nodeId,
      signature,
    });
    this.#attested += 1;
    for (const stream of this.#streams) stream.offer({ message: { case: "attestation", value } });
  }
}
