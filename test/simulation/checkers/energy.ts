/**
 * Invariant 7: no double spend, no double update. A model of the market on its own: it decodes the
 * records of final blocks, in ledger order, and keeps sums. After each record, what somebody has
 * sold in an hour is at most what the latest versions of its readings exported there, and what it
 * has bought at most what they imported.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { toHex, utf8 } from "../../../src/base/bytes.js";
import { sha256 } from "../../../src/crypto/hash.js";
import {
  type MeterReading,
  RecordSchema,
  type TradeTerms,
  TradeTermsSchema,
} from "../../../src/gen/bss/v1/record_pb.js";
import { type Consortium, hourS } from "../consortium.js";
import { Checker, type FinalBlock } from "../events.js";

type Flows = { exported: bigint; imported: bigint; sold: bigint; bought: bigint };

export class EnergyChecker extends Checker {
  readonly name = "energy";
  readonly #consortium: Consortium;
  readonly #records = new Set<string>();
  readonly #updated = new Set<string>();
  readonly #trades = new Set<string>();
  /** "meter/start" → hash of the version that counts, and its reading. */
  readonly #readings = new Map<string, { readonly hash: string; readonly reading: MeterReading }>();
  readonly #flows = new Map<string, Flows>();
  #height = 0;

  constructor(consortium: Consortium) {
    super();
    this.#consortium = consortium;
  }

  override appended(_managerId: string, { block, parsed }: FinalBlock): void {
    // All managers hold the same blocks, or the run ends for that.
    if (parsed.height <= this.#height) return;
    this.#height = parsed.height;
    for (const bytes of block.records) this.#take(bytes);
  }

  #take(bytes: Uint8Array): void {
    const { consortiumId } = this.#consortium.genesis;
    const hash = toHex(sha256(utf8("bss/v1/record"), consortiumId, bytes));
    if (this.#records.has(hash)) this.fail(`record ${hash} stands twice`);
    this.#records.add(hash);
    const { ownerId, parent, payload } = fromBinary(RecordSchema, bytes);
    const parentHash = toHex(parent);
    if (parent.length > 0) {
      if (!this.#records.has(parentHash)) this.fail(`${hash} updates what is not there`);
      if (this.#updated.has(parentHash)) this.fail(`${parentHash} is updated twice`);
      this.#updated.add(parentHash);
    }
    if (payload.case === "meterReading") {
      this.#takeReading(ownerId, hash, parentHash, payload.value);
    }
    if (payload.case === "energyTrade") {
      this.#takeTrade(fromBinary(TradeTermsSchema, payload.value.terms));
    }
  }

  #takeReading(owner: string, hash: string, parent: string, reading: MeterReading): void {
    const key = `${reading.meterId}/${reading.intervalStartUnixS}`;
    const before = this.#readings.get(key);
    if ((before?.hash ?? "") !== parent) this.fail(`two readings of ${key}`);
    this.#readings.set(key, { hash, reading });
    const hour = hourOf(reading.intervalStartUnixS);
    const flows = this.#flowsOf(owner, hour);
    flows.exported += reading.exportedWh - (before?.reading.exportedWh ?? 0n);
    flows.imported += reading.importedWh - (before?.reading.importedWh ?? 0n);
    this.#check(owner, hour);
  }

  #takeTrade(terms: TradeTerms): void {
    const id = toHex(terms.tradeId);
    if (this.#trades.has(id)) this.fail(`trade ${id} is recorded twice`);
    this.#trades.add(id);
    const hour = terms.deliveryStartUnixS;
    this.#flowsOf(terms.sellerId, hour).sold += terms.energyWh;
    this.#flowsOf(terms.buyerId, hour).bought += terms.energyWh;
    this.#check(terms.sellerId, hour);
    this.#check(terms.buyerId, hour);
  }

  #check(participant: string, hour: bigint): void {
    const { exported, imported, sold, bought } = this.#flowsOf(participant, hour);
    if (sold > exported) this.fail(`${participant} sold ${sold} Wh and exported ${exported}`);
    if (bought > imported) this.fail(`${participant} bought ${bought} Wh and imported ${imported}`);
  }

  #flowsOf(participant: string, hour: bigint): Flows {
    const key = `${participant}/${hour}`;
    const flows = this.#flows.get(key) ?? { exported: 0n, imported: 0n, sold: 0n, bought: 0n };
    this.#flows.set(key, flows);
    return flows;
  }
}

function hourOf(startS: bigint): bigint {
  return startS - (startS % BigInt(hourS));
}
