/**
 * One answer of a listing. It ends with as many items as were asked for, or before it outgrows what
 * every gRPC client takes unless told otherwise, 4 MiB; but it has one item at least, so that the
 * listing goes on whatever the items' sizes are.
 */

/** What the items of an answer may have together, bytes: 4 MiB less room for all around them. */
export const answerBytesMax = 3.5 * 2 ** 20;

type AnswerPage<Source, Item> = {
  readonly items: Item[];
  /** Of the last item; undefined without items. */
  readonly last: Source | undefined;
  /** The first that is not in the answer; undefined when there is none. */
  readonly next: Source | undefined;
};

/**
 * Takes from `sources` as long as their items fit. Reads on by one, so that the last page says that
 * it is the last.
 *
 * @param itemOf the item, and about as many bytes as it has in the answer
 */
export async function answerPage<Source, Item>(
  sources: Iterable<Source> | AsyncIterable<Source>,
  countMax: number,
  itemOf: (source: Source) => Promise<readonly [Item, number]> | readonly [Item, number],
): Promise<AnswerPage<Source, Item>> {
  const items: Item[] = [];
  let last: Source | undefined;
  let byteCount = 0;
  for await (const source of sources) {
    if (items.length === countMax) return { items, last, next: source };
    const [item, itemBytes] = await itemOf(source);
    byteCount += itemBytes;
    if (items.length > 0 && byteCount > answerBytesMax) return { items, last, next: source };
    items.push(item);
    last = source;
  }
  return { items, last, next: undefined };
}
