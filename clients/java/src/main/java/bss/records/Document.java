package bss.records;

import bss.v1.Records;
import com.google.protobuf.ByteString;
import java.time.Instant;

/** Any bytes up to the policy's length of a record. */
public final class Document extends RecordBuilder<Document> {
  private final String mediaType;
  private final byte[] content;
  private String name = "";

  /** The media type is IANA's, such as "application/pdf". */
  public Document(String ownerId, String mediaType, byte[] content) {
    super(ownerId);
    this.mediaType = mediaType;
    this.content = content.clone();
  }

  /** For people; may be left out. */
  public Document name(String text) {
    name = text;
    return this;
  }

  @Override
  Instant putPayload(Records.Record.Builder record) {
    record.setDocument(
        Records.Document.newBuilder()
            .setMediaType(mediaType)
            .setName(name)
            .setContent(ByteString.copyFrom(content)));
    return Instant.now();
  }

  @Override
  Document self() {
    return this;
  }
}
