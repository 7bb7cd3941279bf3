import { UntrueAnswer } from "./client-error.js";

/** One page of a listing. */
export type Page<Item> = { readonly items: readonly Item[]; readonly nextPageToken: string };

/** All items of a listing, page by page, as the caller reads on. */
export async function* pages<Item>(
  fetchPage: (pageToken: string) => Promise<Page<Item>>,
): AsyncGenerator<Item, void, undefined> {
  let token = "";
  for (;;) {
    const { items, nextPageToken } = await fetchPage(token);
    yield* items;
    if (nextPageToken === "") return;
    if (nextPageToken === token) throw new UntrueAnswer("a listing's next page is the same page");
    token = nextPageToken;
  }
}
