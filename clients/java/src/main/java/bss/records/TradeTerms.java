package bss.records;

import bss.v1.Records;
import bss.verify.Digests;
import bss.verify.Ed25519;
import bss.verify.Hash;
import com.google.protobuf.ByteString;
import java.security.PrivateKey;
import java.time.Instant;

/**
 * What seller and buyer agree on.
 *
 * @param tradeId 16 bytes that name this trade; drawn, once, when null
 * @param deliveryStart the policy's delivery offset after a multiple of its delivery interval
 * @param priceMicroPerKwh in millionths of the market's currency
 */
public record TradeTerms(
    byte[] tradeId,
    String sellerId,
    String buyerId,
    Instant deliveryStart,
    long energyWh,
    long priceMicroPerKwh) {

  public TradeTerms {
    tradeId = RecordBuilder.drawn(tradeId).toByteArray();
  }

  /** The exact bytes that both parties sign. */
  public byte[] toBytes() {
    return Records.TradeTerms.newBuilder()
        .setTradeId(ByteString.copyFrom(tradeId))
        .setSellerId(sellerId)
        .setBuyerId(buyerId)
        .setDeliveryStartUnixS(RecordBuilder.seconds(deliveryStart))
        .setEnergyWh(RecordBuilder.notNegative(energyWh))
        .setPriceMicroPerKwh(priceMicroPerKwh)
        .build()
        .toByteArray();
  }

  /** One party's signature under the exact bytes of a trade's terms. */
  public static byte[] sign(Hash consortiumId, byte[] terms, PrivateKey key) {
    return Ed25519.sign(key, Digests.trade(consortiumId, terms));
  }
}
