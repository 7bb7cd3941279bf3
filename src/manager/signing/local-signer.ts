/** The signing key in this process, with its marks in a store beside the key's file. */
import { existsSync } from "node:fs";
import { equalBytes } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import { ed25519Signer } from "../../crypto/ed25519.js";
import { LastSignState } from "../../store/double-sign-protection/last-sign-state.js";
import type { KeyValueStore } from "../../store/key-value-store.js";
import { openRocksDb } from "../../store/rocksdb/rocksdb-store.js";
import {
  isMarked,
  type Mark,
  type MarkedRequest,
  type Marks,
  type Signature,
  type Signer,
  type SignerRefusal,
  type SignerUnavailable,
  type SignRequest,
} from "./signer.js";

export type LocalKey = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** 32 bytes: the public key. */
  readonly publicKey: Uint8Array;
  /** Signs a 32-byte digest. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
};

/** Whether a node that has no marks may go on: a new one, or one whose operator says so. */
export type WhenMissing = "create" | "refuse";

export class LocalSigner implements Signer {
  readonly isLocal = true;
  readonly #state: LastSignState;
  readonly #sign: LocalKey["sign"];
  #marks: Marks;
  /** The marks that are on disk; another object than `#marks` while these are not. */
  #settled: Marks;

  private constructor(state: LastSignState, key: LocalKey, marks: Marks) {
    this.#state = state;
    this.#sign = key.sign;
    this.#marks = marks;
    this.#settled = marks;
  }

  /**
   * Opens the marks in `kv`; undefined when there are none and `whenMissing` says to refuse.
   *
   * @throws StoreError MISMATCH when they are another key's
   */
  static async open(
    kv: KeyValueStore,
    key: LocalKey,
    whenMissing: WhenMissing,
  ): Promise<LocalSigner | undefined> {
    const { consortiumId, publicKey: signingKey } = key;
    const state = new LastSignState(kv, { consortiumId, signingKey });
    const marks = await state.load();
    if (marks === undefined && whenMissing === "refuse") return undefined;
    if (marks === undefined) await state.save({});
    return new LocalSigner(state, key, marks ?? {});
  }

  async marks(): Promise<Result<Marks, SignerUnavailable>> {
    return ok(this.#marks);
  }

  async sign(
    requests: readonly SignRequest[],
  ): Promise<Result<readonly Signature[], SignerUnavailable>> {
    const signatures = requests.map((request): Signature => {
      if (isMarked(request)) {
        const refusal = refusalOf(request, this.#marks[request.kind]);
        if (refusal !== undefined) return err(refusal);
        const { height, round, digest } = request;
        this.#marks = { ...this.#marks, [request.kind]: { height, round, digest } };
      }
      return ok(this.#sign(request.digest));
    });
    return ok(signatures);
  }

  async settle(): Promise<Result<void, SignerUnavailable>> {
    const marks = this.#marks;
    if (this.#settled === marks) return ok(undefined);
    await this.#state.save(marks);
    this.#settled = marks;
    return ok(undefined);
  }
}

/** A local signer and the store under it. */
export type OpenedSigner = { readonly signer: LocalSigner; close(): Promise<void> };

/**
 * Opens the marks in `directory`, which is made (mode 0700) with `whenMissing` "create"; undefined
 * when there are none and it says to refuse.
 *
 * @throws StoreError LOCKED while another process, or this one, has them open
 */
export async function openLocalSigner(
  directory: string,
  { consortiumId, seed }: { readonly consortiumId: Uint8Array; readonly seed: Uint8Array },
  whenMissing: WhenMissing,
): Promise<OpenedSigner | undefined> {
  // A refusal leaves no directory behind: the one that was moved has to fit into its place.
  if (whenMissing === "refuse" && !existsSync(directory)) return undefined;
  const { publicKey, sign } = ed25519Signer(seed);
  const kv = await openRocksDb(directory, { values: "few", blockCacheBytes: 0 });
  const signer = await LocalSigner.open(kv, { consortiumId, publicKey, sign }, whenMissing).catch(
    async (error: unknown) => {
      await kv.close();
      throw error;
    },
  );
  if (signer === undefined) {
    await kv.close();
    return undefined;
  }
  return { signer, close: () => kv.close() };
}

function refusalOf(
  { kind, height, round, digest }: MarkedRequest,
  mark: Mark | undefined,
): SignerRefusal | undefined {
  if (mark === undefined) return undefined;
  const place = height - mark.height || round - mark.round;
  if (place > 0 || (place === 0 && equalBytes(digest, mark.digest))) return undefined;
  const what = `${kind} at height ${height}, round ${round}`;
  if (place === 0) {
    return { code: "CONTRADICTION", message: `the key has signed another ${what}` };
  }
  const message = `the key has signed height ${mark.height}, round ${mark.round} after ${what}`;
  return { code: "BELOW_MARK", message };
}
