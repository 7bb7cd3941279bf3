/**
 * From elements of XML to the entries of a feed. Elements are known by namespace and name alone, so
 * prefixes are the writer's choice. The order within an entry is free. What is not known is passed
 * over: costs, titles, summaries, elements of utilities' own.
 */
import { FileUnreadable } from "../file-values.js";
import type { FeedListener, Links, OpenEntry } from "./entry.js";
import { readingTypeFields } from "./reading-type.js";
import type { XmlElement, XmlHandler } from "./xml-text.js";

const atom = "http://www.w3.org/2005/Atom";
const espi = "http://naesb.org/espi";

/** Longer texts are no number or code; they are not kept. */
const textCharsMax = 100;
const hrefCharsMax = 2_000;
const relatedMax = 100_000;
const qualitiesMax = 10;

type Level = { readonly name: string; readonly line: number };

type Resource = "UsagePoint" | "MeterReading" | "ReadingType";

type OpenReading = {
  readonly line: number;
  start?: string;
  duration?: string;
  value?: string;
  readonly qualities: string[];
};

export class EntryParser implements XmlHandler {
  readonly #listener: FeedListener;
  readonly #levels: Level[] = [];
  #entry: OpenEntry | undefined;
  /** What the entry has, with the line on which it begins. */
  readonly #resources = new Map<Resource, number>();
  #typeFields = new Map<string, string>();
  #reading: OpenReading | undefined;
  #hasResources = false;

  constructor(listener: FeedListener) {
    this.#listener = listener;
  }

  readonly opened = (element: XmlElement, line: number): void => {
    const name = nameOf(element);
    const parent = this.#levels.at(-1)?.name;
    this.#levels.push({ name, line });
    if (parent === undefined) {
      if (name === "atom:feed") return;
      throw notGreenButton(`its first element is ${shownElement(element)}`);
    } else if (name === "atom:entry" && parent === "atom:feed") {
      this.#entry = { line, links: { self: undefined, up: undefined, related: [] } };
    } else if (this.#entry !== undefined) this.#openedInEntry(this.#entry, element, name, line);
  };

  readonly closed = (text: string): void => {
    const { name = "" } = this.#levels.pop() ?? {};
    const parent = this.#levels.at(-1)?.name ?? "";
    if (name === "atom:entry" && parent === "atom:feed") this.#closeEntry();
    else if (name === "espi:IntervalReading") this.#closeReading();
    else if (this.#reading !== undefined) this.#setOfReading(this.#reading, parent, name, text);
    else if (parent === "espi:ReadingType") this.#setOfType(name.slice(5), text);
  };

  /** Throws `FileUnreadable` if nothing of the feed was of Green Button. */
  end(): void {
    if (!this.#hasResources) throw notGreenButton("it has no UsagePoint and no IntervalBlock");
  }

  #openedInEntry(entry: OpenEntry, element: XmlElement, name: string, line: number): void {
    switch (name) {
      case "atom:link":
        entry.links = withLink(entry.links, element, line);
        break;
      case "espi:UsagePoint":
      case "espi:MeterReading":
      case "espi:ReadingType":
        this.#hasResources = true;
        this.#resources.set(name.slice(5) as Resource, line);
        break;
      case "espi:IntervalBlock":
        this.#hasResources = true;
        break;
      case "espi:IntervalReading":
        this.#reading = { line, qualities: [] };
        break;
    }
  }

  #setOfReading(reading: OpenReading, parent: string, name: string, text: string): void {
    switch (`${parent} ${name}`) {
      case "espi:timePeriod espi:start":
        reading.start = kept(text);
        break;
      case "espi:timePeriod espi:duration":
        reading.duration = kept(text);
        break;
      case "espi:IntervalReading espi:value":
        reading.value = kept(text);
        break;
      case "espi:ReadingQuality espi:quality":
        if (reading.qualities.length < qualitiesMax) reading.qualities.push(kept(text));
        break;
    }
  }

  #setOfType(field: string, text: string): void {
    if (readingTypeFields.includes(field)) this.#typeFields.set(field, kept(text));
  }

  #closeReading(): void {
    const reading = this.#reading;
    this.#reading = undefined;
    if (reading === undefined || this.#entry === undefined) return;
    const { line, start, duration, value, qualities } = reading;
    this.#listener.reading(this.#entry, { line, start, duration, value, qualities });
  }

  #closeEntry(): void {
    const links = this.#entry?.links;
    this.#entry = undefined;
    if (links === undefined) return;
    for (const [resource, line] of this.#resources) {
      if (resource === "UsagePoint") this.#listener.usagePoint(links);
      else if (resource === "MeterReading") this.#listener.meterReading(links, line);
      else this.#listener.readingType(links, this.#typeFields, line);
    }
    this.#resources.clear();
    this.#typeFields = new Map();
  }
}

function nameOf({ uri, local }: XmlElement): string {
  if (uri === espi) return `espi:${local}`;
  return uri === atom ? `atom:${local}` : "";
}

function withLink(links: Links, element: XmlElement, line: number): Links {
  const rel = element.attribute("rel");
  const href = element.attribute("href")?.trim().replace(/\/+$/, "") ?? "";
  if (href === "") return links;
  if (href.length > hrefCharsMax || links.related.length >= relatedMax) {
    const message = `the entry has more links, or longer ones, than fit, at line ${line}`;
    throw new FileUnreadable(message, "give a Green Button file");
  }
  if (rel === "self") return { ...links, self: copied(href) };
  if (rel === "up") return { ...links, up: copied(href) };
  if (rel !== "related") return links;
  // The list is this entry's own, and may be long: it is added to where it is.
  (links.related as string[]).push(copied(href));
  return links;
}

function kept(text: string): string {
  const trimmed = text.trim();
  return trimmed.length > textCharsMax ? `(${trimmed.length} characters)` : copied(trimmed);
}

/** A text of its own: what the parser gives may be a part of a chunk, and would keep all of it. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}

function shownElement({ uri, local }: XmlElement): string {
  const from = uri === "" ? "no namespace" : `the namespace ${uri.slice(0, 80)}`;
  return `<${local.slice(0, 40)}> of ${from}, not <feed> of ${atom}`;
}

function notGreenButton(why: string): FileUnreadable {
  return new FileUnreadable(
    `the file is not Green Button: ${why}`,
    "give the XML file of a Green Button download",
  );
}
