/**
 * The records of the community's hours, and the submissions that carry them.
 *
 * Building the same hour twice gives the same bytes, so a demo that was cut off sends the very same
 * records again, and the ledger answers with their first places instead of taking them twice.
 * Ed25519 signatures are deterministic anyway; salts and trade ids, which are drawn at random
 * elsewhere, are derived here:
 *
 *     HMAC-SHA-256(owner's signing seed, label ‖ consortium id ‖ start of the hour ‖ which one)
 *
 * That is as good as random: the seed is 32 random bytes that only its owner holds, and to all
 * others the outputs of HMAC under it cannot be told from random bytes. The labels keep salts and
 * ids apart, and Ed25519 uses the seed through SHA-512 only, so neither tells anything about the
 * other.
 * One owner has one reading per hour and one sale per hour and buyer, so no salt is used twice.
 */
import { createHmac } from "node:crypto";
import { concatBytes, u64be, utf8 } from "../../src/base/bytes.js";
import {
  buildSubmission,
  energyTrade,
  meterReading,
  type Submission,
  saltBytes,
  signTrade,
  tradeIdBytes,
  tradeTerms,
} from "../../src/client/index.js";
import type { Position, Trade } from "./community/clearing.js";
import { headEndId, meterIdOf, meterIntervalS } from "./community/community.js";
import type { CommunityHour } from "./community/community-hours.js";

export type CommunityKeys = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** The Ed25519 seed of a home or of the head-end, 32 bytes. */
  readonly seedOf: (participantId: string) => Uint8Array;
};

/** One of the submissions of an hour. */
export type HourSubmission = {
  readonly submission: Submission;
  /**
   * Whether it trades energy whose readings are in earlier submissions: those have to be on the
   * ledger before this one is sent.
   */
  readonly afterReadings: boolean;
};

/** What goes into a derived salt or id, besides the consortium. */
type Purpose = {
  readonly label: "reading salt" | "trade salt" | "trade id";
  readonly ownerId: string;
  readonly startS: number;
  /** Of the owner's trades in the hour; empty for its one reading. */
  readonly which?: string;
};

export class HourRecords {
  readonly #keys: CommunityKeys;

  constructor(keys: CommunityKeys) {
    this.#keys = keys;
  }

  /**
   * An hour as submissions by the head-end: readings first, then the trades that they cover. One
   * submission, unless the hour has more than `recordsMax` records.
   */
  submissions(hour: CommunityHour, recordsMax: number): readonly HourSubmission[] {
    const readings = hour.readings.map((reading) => this.reading(reading, hour.startS));
    const trades = hour.trades.map((trade) => this.trade(trade, hour));
    if (readings.length + trades.length <= recordsMax) {
      return [{ submission: this.#signed([...readings, ...trades]), afterReadings: false }];
    }
    const parts = (records: readonly Uint8Array[], afterReadings: boolean) =>
      chunks(records, recordsMax).map((chunk) => ({
        submission: this.#signed(chunk),
        afterReadings,
      }));
    return [...parts(readings, false), ...parts(trades, true)];
  }

  /** The exact bytes of a home's reading for the hour that starts at `startS` (Unix s). */
  reading({ homeId, importedWh, exportedWh }: Position, startS: number): Uint8Array {
    return meterReading({
      ownerId: homeId,
      meterId: meterIdOf(homeId),
      intervalStartS: startS,
      intervalS: meterIntervalS,
      importedWh,
      exportedWh,
      salt: this.#derived({ label: "reading salt", ownerId: homeId, startS }, saltBytes),
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

  #signed(records: readonly Uint8Array[]): Submission {
    const { consortiumId, seedOf } = this.#keys;
    const signingSeed = seedOf(headEndId);
    return buildSubmission({ consortiumId, participantId: headEndId, signingSeed, records });
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

function chunks<T>(items: readonly T[], length: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / length);
  return Array.from({ length: count }, (_, i) => items.slice(i * length, (i + 1) * length));
}
