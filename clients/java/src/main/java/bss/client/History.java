package bss.client;

import bss.verify.Hash;
import com.google.protobuf.ByteString;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** The versions of a record, each of which has to update the one before it. */
final class History implements Iterator<LedgerRecord> {
  private final Iterator<LedgerRecord> versions;
  private final Hash wanted;
  private ByteString previous = ByteString.EMPTY;
  private boolean found;

  History(Iterator<LedgerRecord> versions, Hash wanted) {
    this.versions = versions;
    this.wanted = wanted;
  }

  @Override
  public boolean hasNext() {
    boolean more = versions.hasNext();
    if (!more && !found) {
      throw new UntrueAnswerException(
          "the history does not hold the record that was asked for");
    }
    return more;
  }

  @Override
  public LedgerRecord next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    LedgerRecord version = versions.next();
    if (version.record() != null && !version.record().getParent().equals(previous)) {
      throw new UntrueAnswerException(
          "version " + version.hash() + " does not update the one before it");
    }
    previous = version.hash().toByteString();
    found |= version.hash().equals(wanted);
    return version;
  }
}
