import { concatBytes, u64be } from "../../base/bytes.js";

/**
 * What a block's creator proves with its VRF key: consortium_id ‖ u64 height ‖ beacon of
 * the previous block. It holds nothing that the creator can choose, so it cannot grind for
 * a friendly committee.
 */
export function beaconInput({
  consortiumId,
  height,
  previousBeacon,
}: {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** Of the new block. */
  readonly height: number;
  /** 64 bytes. */
  readonly previousBeacon: Uint8Array;
}): Uint8Array {
  return concatBytes(consortiumId, u64be(height), previousBeacon);
}
