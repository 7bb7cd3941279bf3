/**
 * What a manager is given, and what its parts need alike: who it is, the rules, the ledger as it
 * stands, clocks, and who observes it. Parts name what they use of it by `Pick<ManagerContext, …>`.
 */

import type { Time } from "../base/time.js";
import { ecvrf, type Vrf } from "../crypto/ecvrf.js";
import { SignatureCache, type VerifySignature } from "../crypto/signature-cache.js";
import type { Policy } from "../gen/bss/v1/genesis_pb.js";
import type { GenesisState } from "../ledger/genesis.js";
import type { LedgerHead } from "../ledger/state/head.js";
import type { PrefetchedState } from "../ledger/state/state.js";
import type { HeadSignal } from "../query/head-signal.js";
import type { PoolLimits } from "../store/chain/pooled-submissions.js";
import type { ManagerStore } from "../store/manager-store.js";
import type { ManagerObserver } from "./manager-observer.js";
import type { VoteLinks } from "./peers/peer-sender.js";
import { Waste } from "./peers/waste.js";
import type { Signer } from "./signing/signer.js";
import type { BroadcastLinks } from "./submissions/broadcast-sender.js";

export type ManagerOptions = {
  readonly selfId: string;
  readonly genesis: GenesisState;
  readonly store: ManagerStore;
  /** 32 bytes: the key of epoch 0. */
  readonly epochKey: Uint8Array;
  /** 32 bytes. */
  readonly vrfSeed: Uint8Array;
  readonly signer: Signer;
  /**
   * An operator says that this manager may vote although its signer has no marks: nothing that it
   * has signed before is in doubt. Default false.
   */
  readonly newSignerAccepted?: boolean;
  readonly poolLimits: PoolLimits;
  readonly links: () => VoteLinks & BroadcastLinks & { readonly connectedIds: readonly string[] };
  readonly heads: HeadSignal;
  readonly observer: ManagerObserver;
  readonly onFatal: (error: Error) => void;
  readonly time: Time;
  /** Verifies others' signatures; Ed25519 by default. */
  readonly verifySignature?: VerifySignature;
  /** ECVRF by default. */
  readonly vrf?: Vrf;
};

export type ManagerContext = Omit<ManagerOptions, "verifySignature" | "vrf"> & {
  readonly consortiumId: Uint8Array;
  readonly policy: Policy;
  readonly signatures: SignatureCache;
  readonly vrf: Vrf;
  readonly head: () => LedgerHead;
  readonly members: () => LedgerHead["members"];
  readonly readState: (keys: readonly Uint8Array[]) => Promise<PrefetchedState>;
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
  readonly attentiveMs: () => number;
  /** Hears of each message that `observer` is told was dropped. */
  readonly waste: Waste;
};

export function managerContext(options: ManagerOptions): ManagerContext {
  const { genesis, store, time, verifySignature, vrf = ecvrf } = options;
  const waste = new Waste(time);
  return {
    ...options,
    observer: noticing(options.observer, waste),
    waste,
    consortiumId: genesis.consortiumId,
    policy: genesis.policy,
    signatures: new SignatureCache(verifySignature),
    vrf,
    head: () => store.head,
    members: () => store.head.members,
    readState: (keys) => store.state(keys),
    wallMs: time.wallMs,
    monotonicMs: time.monotonicMs,
    attentiveMs: time.attentiveMs,
  };
}

function noticing(observer: ManagerObserver, waste: Waste): ManagerObserver {
  const dropped: ManagerObserver["dropped"] = (from, reason) => {
    waste.note(from, reason);
    observer.dropped(from, reason);
  };
  return Object.create(observer, { dropped: { value: dropped } });
}
