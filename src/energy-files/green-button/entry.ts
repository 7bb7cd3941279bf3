/**
 * What an Atom feed of Green Button has: entries, each with links and one resource of the Energy
 * Services Provider Interface (ESPI). Links are what tells which resource belongs to which.
 */

export type Links = {
  readonly self: string | undefined;
  /** The collection that the resource is in. */
  readonly up: string | undefined;
  /** Resources, or collections of resources, that belong to this one. */
  readonly related: readonly string[];
};

/** Of one element with elements of its own: their texts by their names. */
export type Fields = ReadonlyMap<string, string>;

/** An IntervalReading as it stands in the file. */
export type Reading = {
  readonly line: number;
  readonly start: string | undefined;
  readonly duration: string | undefined;
  readonly value: string | undefined;
  readonly qualities: readonly string[];
};

/** An entry that is being read; its links may come before or behind its readings. */
export type OpenEntry = { readonly line: number; links: Links };

/** What is told of a feed while it is read, in its order. */
export type FeedListener = {
  readonly usagePoint: (links: Links) => void;
  readonly meterReading: (links: Links, line: number) => void;
  readonly readingType: (links: Links, fields: Fields, line: number) => void;
  readonly reading: (entry: OpenEntry, reading: Reading) => void;
};
