/**
 * Which resource of a feed belongs to which: blocks to a MeterReading, that to a UsagePoint and to
 * a ReadingType. A resource belongs to another that has a `related` link to it or to the collection
 * that it is `up` in; or whose own address is the beginning of that collection's. Entries come in
 * any order, so the answer may be that nothing is known as yet.
 */
import { printable } from "../../base/printable.js";
import { FileUnreadable } from "../file-values.js";
import type { Fields, Links } from "./entry.js";

export type MeterReading = {
  readonly line: number;
  readonly links: Links;
  readingType: ReadingType | undefined;
};
export type ReadingType = { readonly line: number; readonly fields: Fields };
export type UsagePoint = { readonly name: string };

const linksMax = 100_000;

export class FeedGraph {
  readonly #usagePoints = new Resources<UsagePoint>();
  readonly #usagePointNames = new Set<string>();
  readonly #meterReadings = new Resources<MeterReading>();
  readonly #readingTypes = new Map<string, ReadingType>();
  /** By addresses to which they have links and of which nothing is known. */
  readonly #withoutType = new Map<string, MeterReading[]>();
  #links = 0;

  addUsagePoint(links: Links): void {
    this.#count(links);
    this.#usagePoints.add(links, () => ({ name: this.#newName(links.self) }));
  }

  /** A feed may have the same MeterReading in several entries, each with links of its own. */
  addMeterReading(links: Links, line: number): void {
    this.#count(links);
    const make = () => ({ line, links, readingType: undefined });
    const meterReading = this.#meterReadings.add(links, make);
    for (const href of links.related) {
      const type = this.#readingTypes.get(href);
      meterReading.readingType ??= type;
      if (type === undefined) addTo(this.#withoutType, href, meterReading);
    }
  }

  /** False if another ReadingType with the same address says something else; that one stays. */
  addReadingType(links: Links, type: ReadingType): boolean {
    this.#count(links);
    const { self } = links;
    if (self === undefined) return true;
    const known = this.#readingTypes.get(self);
    if (known !== undefined) return isSame(known.fields, type.fields);
    this.#readingTypes.set(self, type);
    for (const meterReading of this.#withoutType.get(self) ?? []) meterReading.readingType ??= type;
    this.#withoutType.delete(self);
    return true;
  }

  meterReadingOf(block: Links): MeterReading | undefined {
    return this.#meterReadings.parentOf(block);
  }

  usagePointOf({ links }: MeterReading): UsagePoint | undefined {
    return this.#usagePoints.parentOf(links);
  }

  /** The last part of the address, as people know it; all of it if another one ends alike. */
  #newName(self: string | undefined): string {
    const short = lastPart(self) ?? "UsagePoint";
    const name = printable(this.#usagePointNames.has(short) ? (self ?? short) : short);
    this.#usagePointNames.add(name);
    return name;
  }

  #count({ related }: Links): void {
    this.#links += related.length + 1;
    if (this.#links <= linksMax) return;
    throw new FileUnreadable(
      `the feed has more than ${linksMax} links of usage points, meter readings and reading types`,
      "split it by usage point and import each part",
    );
  }
}

/** Things that others belong to, by the addresses of the others. */
class Resources<T> {
  readonly #bySelf = new Map<string, T>();
  readonly #byRelated = new Map<string, T>();

  /** The new one, or what was added with the same address before. */
  add({ self, related }: Links, make: () => T): T {
    const known = self === undefined ? undefined : this.#bySelf.get(self);
    const resource = known ?? make();
    if (self !== undefined) this.#bySelf.set(self, resource);
    for (const href of related) if (!this.#byRelated.has(href)) this.#byRelated.set(href, resource);
    return resource;
  }

  parentOf({ self, up }: Links): T | undefined {
    const related = [self, up].map((href) => href && this.#byRelated.get(href)).find(Boolean);
    if (related) return related;
    const parent = up?.slice(0, Math.max(0, up.lastIndexOf("/")));
    return parent === undefined ? undefined : this.#bySelf.get(parent);
  }
}

/** "2" of ".../UsagePoint/2". */
export function lastPart(href: string | undefined): string | undefined {
  const part = href?.slice(href.lastIndexOf("/") + 1);
  return part === "" ? undefined : part;
}

function addTo<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function isSame(a: Fields, b: Fields): boolean {
  return a.size === b.size && [...a].every(([name, text]) => b.get(name) === text);
}
