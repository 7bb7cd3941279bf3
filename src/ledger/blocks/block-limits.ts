/** How much of each part a block may hold, whatever the policy says. */

/**
 * The most records that any policy may allow in a block. Building takes 0.1 ms and judging 0.2 ms
 * of CPU for each, in which the node does nothing else: so this stays below the default timeouts.
 */
export const blockRecordsBound = 10_000;
/** Control operations in one block. */
export const controlOperationsMax = 1_000;
/**
 * Bytes of one control operation. The longest, a storage node that 34 of 100 managers have heard
 * nothing of, has about 4,900; an admission with the longest invitation 3,900.
 */
export const controlOperationBytesMax = 6_144;
/** Of all of them together: 1 MiB of the public side, and what managers say of each other. */
export const controlBytesMax = 2 ** 20 + 2 ** 18;
export const headerBytesMax = 1_024;
/** Certificates of 100 managers and a committee of 6,667 have about 1.15 MB. */
export const certificatesBytesMax = 2 ** 20 + 2 ** 18;
