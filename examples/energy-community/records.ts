/**
 * The records of the community's days, and the submissions that carry them.
 *
 * Building the same day twice gives the same bytes, so a demo that was cut off sends the very same
 * records again, and the ledger answers with their first places instead of taking them twice.
 * Ed25519 signatures are deterministic anyway; salts and trade ids, which are drawn at random
 * elsewhere, are derived here:
 *
 *     HMAC-SHA-256(owner's signing seed, label ‖ consortium id ‖ start of the hour or day ‖ which one)
 *
 * That is as good as random: the seed is 32 random bytes that only its owner holds, and to all
 * others the outputs of HMAC under it cannot be told from random bytes. The labels keep salts and
 * ids apart, and Ed25519 uses the seed through SHA-512 only, so neither tells anything about the
 * other.
 * One owner has one profile per day and one sale per hour and buyer, and the head-end one tariff,
 * so no salt is used twice.
 */
import { createHmac } from "node:crypto";
import { concatBytes, u64be, utf8 } from "../../src/base/bytes.js";
import {
  buildSubmission,
  document,
  energyTrade,
  loadProfile,
  type Submission,
  saltBytes,
  signTrade,
  tradeIdBytes,
  tradeTerms,
} from "../../src/client/index.js";
import { tariffMediaType } from "../../src/settlement/tariff.js";
import type { Trade } from "./community/clearing.js";
import { headEndId, meterIdOf, meterIntervalS } from "./community/community.js";
import type { CommunityDay, DayProfile } from "./community/community-days.js";
import type { CommunityHour } from "./community/community-hours.js";
import type { TariffPrices } from "./settlement/tariff.js";

export type CommunityKeys = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** The Ed25519 seed of a home or of the head-end, 32 bytes. */
  readonly seedOf: (participantId: string) => Uint8Array;
};

/** What goes into a derived salt or id, besides the consortium. */
type Purpose = {
  readonly label: "profile salt" | "trade salt" | "trade id" | "tariff salt";
  readonly ownerId: string;
  readonly startS: number;
  /** Of the owner's trades in the hour; empty for its one profile of the day. */
  readonly which?: string;
};

export class DayRecords {
  readonly #keys: CommunityKeys;

  constructor(keys: CommunityKeys) {
    this.#keys = keys;
  }

  profiles({ profiles }: CommunityDay): readonly Uint8Array[] {
    return profiles.map((profile) => this.profile(profile));
  }

  /** The trades of all hours of a day. */
  trades({ hours }: CommunityDay): readonly Uint8Array[] {
    return hours.flatMap((hour) => hour.trades.map((trade) => this.trade(trade, hour)));
  }

  /** The exact bytes of the grid's tariff, a document of the head-end. */
  tariff(prices: TariffPrices): Uint8Array {
    const { fromS } = prices.period;
    return document({
      ownerId: headEndId,
      mediaType: tariffMediaType,
      name: "tariff.json",
      content: prices.document(),
      timeMs: fromS * 1000,
      salt: this.#derived({ label: "tariff salt", ownerId: headEndId, startS: fromS }, saltBytes),
    });
  }

  /** Records as submissions by the head-end, as few as carry at most `recordsMax` each. */
  submissions(records: readonly Uint8Array[], recordsMax: number): readonly Submission[] {
    const { consortiumId, seedOf } = this.#keys;
    const by = { consortiumId, participantId: headEndId, signingSeed: seedOf(headEndId) };
    const count = Math.ceil(records.length / recordsMax);
    return Array.from({ length: count }, (_, i) => {
      const part = records.slice(i * recordsMax, (i + 1) * recordsMax);
      return buildSubmission({ ...by, records: part });
    });
  }

  /** The exact bytes of a home's load profile of a day. */
  profile({ homeId, startS, values }: DayProfile): Uint8Array {
    const measured = values.map((value) => value && { ...value, quality: "measured" as const });
    return loadProfile({
      ownerId: homeId,
      meterId: meterIdOf(homeId),
      startS,
      intervalS: meterIntervalS,
      values: measured,
      salt: this.#derived({ label: "profile salt", ownerId: homeId, startS }, saltBytes),
    });
  }

  /**
   * The exact bytes of a trade, signed by both homes; its time is the end of the hour. `number`
   * tells several trades of one pair in one hour apart.
   */
  trade(
    { sellerId, buyerId, energyWh }: Trade,
    { startS, priceMicroPerKwh }: Pick<CommunityHour, "startS" | "priceMicroPerKwh">,
    number = 1,
  ): Uint8Array {
    const { consortiumId, seedOf } = this.#keys;
    const pair = { ownerId: sellerId, which: `${buyerId} ${number}`, startS };
    const terms = tradeTerms({
      sellerId,
      buyerId,
      deliveryStartS: startS,
      energyWh,
      priceMicroPerKwh,
      tradeId: this.#derived({ label: "trade id", ...pair }, tradeIdBytes),
    });
    return energyTrade({
      ownerId: sellerId,
      terms,
      timeMs: (startS + meterIntervalS) * 1000,
      sellerSignature: signTrade(consortiumId, terms, seedOf(sellerId)),
      buyerSignature: signTrade(consortiumId, terms, seedOf(buyerId)),
      salt: this.#derived({ label: "trade salt", ...pair }, saltBytes),
    });
  }

  /** A 0 byte ends the label: it and the last part have no fixed length. */
  #derived({ label, ownerId, startS, which = "" }: Purpose, length: number): Uint8Array {
    const { consortiumId, seedOf } = this.#keys;
    const parts = [utf8(`energy-community ${label}\0`), consortiumId, u64be(startS), utf8(which)];
    const mac = createHmac("sha256", seedOf(ownerId))
      .update(concatBytes(...parts))
      .digest();
    return new Uint8Array(mac.subarray(0, length));
  }
}
