package bss.records;

import bss.v1.Records;
import com.google.protobuf.ByteString;
import java.time.Instant;

/** A sale that both parties have signed; its owner is the seller. */
public final class EnergyTrade extends RecordBuilder<EnergyTrade> {
  private final byte[] terms;
  private final byte[] sellerSignature;
  private final byte[] buyerSignature;

  /** The terms are the exact bytes that both parties signed, see {@link TradeTerms}. */
  public EnergyTrade(
      String sellerId, byte[] terms, byte[] sellerSignature, byte[] buyerSignature) {
    super(sellerId);
    this.terms = terms.clone();
    this.sellerSignature = sellerSignature.clone();
    this.buyerSignature = buyerSignature.clone();
  }

  @Override
  Instant putPayload(Records.Record.Builder record) {
    record.setEnergyTrade(
        Records.EnergyTrade.newBuilder()
            .setTerms(ByteString.copyFrom(terms))
            .setSellerSignature(ByteString.copyFrom(sellerSignature))
            .setBuyerSignature(ByteString.copyFrom(buyerSignature)));
    return Instant.now();
  }

  @Override
  EnergyTrade self() {
    return this;
  }
}
