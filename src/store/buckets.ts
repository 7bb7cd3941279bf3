/**
 * The first byte of every key: one numbered namespace per line, shared by both roles (a manager and
 * a storage node each use some of them). A number is never reused, so a directory written by an
 * older version is never misread. Integers in keys are big-endian and of fixed width, so keys sort
 * by value.
 */
export const buckets = {
  /** name → what is kept once per store: format version, head, frontier, own progress */
  meta: 1,
  /** u64 height → encoded manager block without its records */
  blockByHeight: 2,
  /** block id → u64 height */
  heightByBlockId: 3,
  /** record hash → u64 height ‖ u64 position in the log ‖ seal digest (32 bytes) */
  recordLocation: 4,
  /** u64 position in the log → record hash (32 bytes) ‖ sealed record */
  sealedRecord: 5,
  /** u8 level ‖ u64 index → root (32 bytes) of a complete subtree of the log; level 0: leaf hash */
  merkleNode: 6,
  /** state key → state value, as the ledger's rules read and write them */
  state: 7,
  /** u64 height ‖ u8 kind ‖ round or block id → statement of this manager, kept before sending */
  voteLog: 8,
  /** u64 height ‖ block id → candidate block kept before the height is decided */
  candidate: 9,
  /** u64 height → certificates: canonical ones below the head, this node's own at the head */
  certificate: 10,
  /** submission id → submission that waits for a block */
  pool: 11,
  /** participant ‖ time ‖ u64 position → record hash */
  ownerIndex: 12,
  /** meter ‖ time ‖ u64 position → record hash */
  meterIndex: 13,
  /** u64 height → encoded storage block without its records */
  storageBlock: 15,
  /** u64 height ‖ u64 round → attestation by this storage node, kept before sending */
  attestationLog: 16,
  /** u64 height ‖ u64 place in the block → control operation that changed the members */
  membership: 17,
  /** storage node → u64 height of the last block that a canonical certificate says it attested */
  lastAttested: 18,
  /** participant → SPKI digest (32 bytes) of its certificate; on storage nodes only */
  participantSpki: 19,
  /** manager ‖ u64 number → objection of that manager that did not hold where it says */
  falseObjection: 20,
  /** manager → evidence against it that is not on the chain yet */
  evidence: 21,
} as const;

export type Bucket = (typeof buckets)[keyof typeof buckets];
