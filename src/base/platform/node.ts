/**
 * What Node.js does to bytes in less time than a loop; `portable.ts` does the same elsewhere.
 * package.json ("imports") chooses between the two.
 */

/** What `toString` of a Buffer calls in the end. It takes any Uint8Array, without a view of it. */
type Slice = (this: Uint8Array, start: number, end: number) => string;
const { hexSlice, latin1Slice } = Buffer.prototype as unknown as {
  readonly hexSlice: Slice;
  readonly latin1Slice: Slice;
};

/** Lower-case hex without a prefix. */
export function hexOf(bytes: Uint8Array): string {
  return hexSlice.call(bytes, 0, bytes.length);
}

/** Each byte as the character of that number. */
export function latin1Of(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

/** The bytes of hex that is known to be hex, of either case. */
export function bytesOfHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** Whether two arrays of the same length hold the same. */
export function sameContent(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
