/**
 * Participants at work: readings, load profiles, updates of both, trades and documents, at random
 * managers. Some cannot all be right: more is sold than was exported, one version is updated twice,
 * one trade is recorded twice, profiles and readings overlap, a measurement is too early or too
 * late for what rests on it.
 */
import { ValueQuality } from "../../src/gen/bss/v1/record_pb.js";
import type { ParsedSubmission } from "../../src/ledger/records/submissions.js";
import { firstDayS, hourS, quarterS, ratedPowerW } from "./consortium.js";
import type { Participants } from "./participants.js";
import type { Random } from "./random.js";
import { RecordMaker, type Value } from "./records.js";
import type { World } from "./world.js";

type Version = {
  readonly owner: string;
  readonly hash: Uint8Array;
  readonly startS: number;
  /** Of a load profile; undefined for a reading. */
  readonly values?: readonly Value[];
};

/** Submissions come for so long after the faults. */
export const tailMs = 300;
/** Delivery intervals that the participants speak of: few, so that they meet. */
const hoursCount = 6;
/** Some profiles begin before the first day, and the state keeps each day under its own key. */
const quartersBefore = 8;
const profileMax = 24;
const readingMaxWh = (ratedPowerW * quarterS) / hourS;

export class Workload {
  readonly #world: World;
  readonly #random: Random;
  readonly #participants: Participants;
  readonly #maker: RecordMaker;
  readonly #versions: Version[] = [];
  readonly #quarters = new Map<string, number>();
  readonly #made: ParsedSubmission[] = [];
  #trades = 0;

  constructor(world: World, random: Random, participants: Participants) {
    this.#world = world;
    this.#random = random;
    this.#participants = participants;
    this.#maker = new RecordMaker(world.consortium);
  }

  start(): void {
    const { scheduler, plan } = this.#world;
    scheduler.after(this.#random.exponential(plan.submissionEveryMs), () => {
      if (scheduler.nowMs > plan.faultsUntilMs + tailMs) return;
      this.#act();
      this.start();
    });
  }

  #act(): void {
    const owner = this.#random.pick(this.#world.consortium.participantIds);
    const choice = this.#random.unit();
    if (choice < 0.3) {
      this.#submit(owner, this.#readings(owner), 1);
      return;
    }
    if (choice < 0.4) {
      this.#profile(owner);
      return;
    }
    if (choice < 0.55) {
      this.#update();
      return;
    }
    if (choice < 0.9) {
      this.#trade(owner);
      return;
    }
    if (choice < 0.95) {
      this.#submitAgain();
      return;
    }
    const content = new Uint8Array(this.#random.below(200)).fill(this.#random.below(256));
    this.#submit(owner, [this.#maker.document(owner, content)], 1);
  }

  /** The next readings of a meter, and sometimes one that is there already. */
  #readings(owner: string): readonly Uint8Array[] {
    const records: Uint8Array[] = [];
    for (let left = 1 + this.#random.below(4); left > 0; left--) {
      const next = this.#quarters.get(owner) ?? 0;
      const again = this.#random.chance(0.05) && next > 0;
      const quarter = (again ? this.#random.below(next) : next) % (hoursCount * 4);
      if (!again) this.#quarters.set(owner, next + 1);
      const startS = firstDayS + quarter * quarterS;
      const record = this.#maker.reading({ owner, startS, ...this.#energies() });
      this.#versions.push({ owner, hash: this.#maker.hashOf(record), startS });
      records.push(record);
    }
    return records;
  }

  /** A profile of the next quarters of a meter, or of some that may have values already. */
  #profile(owner: string): void {
    const next = this.#quarters.get(owner) ?? 0;
    const values = Array.from({ length: 1 + this.#random.below(profileMax) }, () => this.#value());
    const isNext = this.#random.chance(0.6);
    if (isNext) this.#quarters.set(owner, next + values.length);
    const some = this.#random.below(hoursCount * 4) - quartersBefore;
    const quarter = isNext ? next % (hoursCount * 4) : some;
    this.#submitVersion({ owner, startS: firstDayS + quarter * quarterS, values });
  }

  /** One version updated once, or twice at two managers. */
  #update(): void {
    if (this.#versions.length === 0) return;
    const { owner, hash, startS, values } = this.#random.pick(this.#versions);
    for (let left = this.#random.chance(0.3) ? 2 : 1; left > 0; left--) {
      const updated = values && this.#updated(values);
      this.#submitVersion({ owner, startS, parent: hash, ...(updated && { values: updated }) });
    }
  }

  /** Some of the values anew; seldom of more intervals, as no update may be. */
  #updated(values: readonly Value[]): readonly Value[] {
    const from = this.#random.below(values.length);
    const to = from + 1 + this.#random.below(values.length - from);
    const some = values.map((value, i) => (i >= from && i < to ? this.#value() : value));
    return this.#random.chance(0.05) ? [...some, this.#value()] : some;
  }

  #value(): Value {
    if (this.#random.chance(0.2)) return undefined;
    const quality = this.#random.chance(0.8) ? ValueQuality.MEASURED : ValueQuality.ESTIMATED;
    return { ...this.#energies(), quality };
  }

  #submitVersion(version: Omit<Version, "hash"> & { readonly parent?: Uint8Array }): void {
    const { owner, startS, values, parent } = version;
    const place = { owner, startS, ...(parent && { parent }) };
    const record =
      values === undefined
        ? this.#maker.reading({ ...place, ...this.#energies() })
        : this.#maker.profile({ ...place, values });
    const hash = this.#maker.hashOf(record);
    this.#versions.push({ owner, hash, startS, ...(values && { values }) });
    this.#submit(owner, [record], 1);
  }

  /** A sale of some or all of an hour's energy; sometimes several that exceed it together. */
  #trade(seller: string): void {
    const others = this.#world.consortium.participantIds.filter((id) => id !== seller);
    const deliveryS = firstDayS + this.#random.below(hoursCount) * hourS;
    for (let left = this.#random.chance(0.4) ? 3 : 1; left > 0; left--) {
      this.#trades += 1;
      const trade = {
        id: `trade ${this.#trades}`,
        seller,
        deliveryS,
        buyer: this.#random.pick(others),
        energyWh: 1 + this.#random.below(readingMaxWh * 2),
      };
      const record = this.#maker.trade(trade);
      this.#submit(seller, [record], this.#random.chance(0.2) ? 2 : 1);
      // The same terms in another record: only one of the two may stand.
      if (this.#random.chance(0.1)) this.#submit(seller, [this.#maker.trade(trade)], 1);
    }
  }

  #submitAgain(): void {
    if (this.#made.length > 0) this.#participants.submit(this.#random.pick(this.#made));
  }

  #energies() {
    const wh = () => this.#random.below(readingMaxWh + 1);
    return { importedWh: wh(), exportedWh: wh() };
  }

  #submit(owner: string, records: readonly Uint8Array[], copies: number): void {
    this.#world.counters.count("record submitted", records.length);
    const submission = this.#maker.submission(owner, records);
    this.#made.push(submission);
    this.#participants.submit(submission, copies);
  }
}
