/**
 * A local signer's memory: one value in a store of its own, which lies beside the signing key and
 * not in the node's data directory, so that no rollback of the one takes back the other. The store
 * brings what a file would need to be given: an atomic durable write, a checksum, mode 0700, and a
 * lock that ends with the process.
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes, utf8 } from "../../base/bytes.js";
import {
  type SignerMark,
  SignerMarkSchema,
  SignerStateSchema,
  type SignerState as StoredState,
} from "../../gen/bss/store/v1/signer_pb.js";
import { buckets } from "../buckets.js";
import { putMessage, storedMessage } from "../chain/stored-values.js";
import { bucketKey } from "../key-codec.js";
import type { KeyValueStore } from "../key-value-store.js";
import { StoreError } from "../store-error.js";

type StoredMark = {
  readonly height: number;
  readonly round: number;
  readonly digest: Uint8Array;
};

type StoredMarks = {
  readonly propose?: StoredMark;
  readonly approve?: StoredMark;
  readonly commit?: StoredMark;
};

type SignerOwner = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** 32 bytes. */
  readonly signingKey: Uint8Array;
};

const stateKey = bucketKey(buckets.meta, utf8("signer"));

export class SignerState {
  readonly #kv: KeyValueStore;
  readonly #owner: SignerOwner;

  constructor(kv: KeyValueStore, owner: SignerOwner) {
    this.#kv = kv;
    this.#owner = owner;
  }

  /**
   * The marks; undefined when nothing was ever kept here.
   *
   * @throws StoreError MISMATCH when they are another key's
   */
  async load(): Promise<StoredMarks | undefined> {
    const bytes = await this.#kv.get(stateKey);
    if (bytes === undefined) return undefined;
    const state = storedMessage(SignerStateSchema, bytes, "the signer's state");
    this.#checkOwner(state);
    const { propose, approve, commit } = state;
    return {
      ...(propose && { propose: fromStored(propose) }),
      ...(approve && { approve: fromStored(approve) }),
      ...(commit && { commit: fromStored(commit) }),
    };
  }

  /** Durable when it resolves. */
  async save({ propose, approve, commit }: StoredMarks): Promise<void> {
    const state = create(SignerStateSchema, {
      ...this.#owner,
      ...(propose && { propose: toStored(propose) }),
      ...(approve && { approve: toStored(approve) }),
      ...(commit && { commit: toStored(commit) }),
    });
    await this.#kv.write([putMessage(stateKey, SignerStateSchema, state)], "sync");
  }

  #checkOwner({ consortiumId, signingKey }: StoredState): void {
    const owner = this.#owner;
    const isSame =
      equalBytes(consortiumId, owner.consortiumId) && equalBytes(signingKey, owner.signingKey);
    if (isSame) return;
    const message =
      "the signer's state belongs to another key or consortium: " +
      "configure the one that lies beside this manager's signing key";
    throw new StoreError("MISMATCH", message);
  }
}

function fromStored({ height, round, digest }: SignerMark): StoredMark {
  return { height: Number(height), round, digest };
}

function toStored({ height, round, digest }: StoredMark): SignerMark {
  return create(SignerMarkSchema, { height: BigInt(height), round, digest });
}
