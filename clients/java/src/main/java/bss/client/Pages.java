package bss.client;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;

/** All items of a listing, page by page, as the caller reads on. */
final class Pages<T> implements Iterator<T> {
  private final Function<String, Page<T>> fetch;
  private Iterator<T> items = List.<T>of().iterator();
  private String token = "";
  private boolean last;

  /** One page, and the token of the next one; empty for the last one. */
  record Page<T>(List<T> items, String nextToken) {}

  Pages(Function<String, Page<T>> fetch) {
    this.fetch = fetch;
  }

  @Override
  public boolean hasNext() {
    while (!items.hasNext() && !last) {
      Page<T> page = fetch.apply(token);
      items = page.items().iterator();
      last = page.nextToken().isEmpty();
      if (!last && page.nextToken().equals(token)) {
        throw new UntrueAnswerException("a listing names the same page as its next page");
      }
      token = page.nextToken();
    }
    return items.hasNext();
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return items.next();
  }
}
