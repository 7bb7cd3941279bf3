/**
 * The first byte of every key: one numbered namespace per line, shared by both roles (a manager and
 * a storage node each use some of them). A number is never reused, so a directory written by an
 * older version is never misread: 4, 5 and 6 were format 3's. Integers in keys are big-endian and
 * of fixed width, so keys sort by value; that of recordPlace alone is as short as it can be.
 */
export const buckets = {
  /** name → what is kept once per store: format version, head, frontier, own progress */
  meta: 1,
  /** u64 height → number of leaves ‖ encoded manager block without its leaves and records */
  blockByHeight: 2,
  /** block id → u64 height */
  heightByBlockId: 3,
  /** state key → state value, as the ledger's rules read and write them */
  state: 7,
  /** u64 height ‖ u8 kind ‖ round or block id → statement of this manager, kept before sending */
  voteLog: 8,
  /** u64 height ‖ block id → candidate block kept before the height is decided */
  candidate: 9,
  /** u64 height of the head → this node's own certificates; canonical ones are in the next block */
  certificate: 10,
  /** submission id → submission that waits for a block */
  pool: 11,
  /** participant ‖ i64 time ‖ u64 position → nothing: a record that is in no run */
  ownerIndex: 12,
  /** meter ‖ i64 time ‖ u64 position → nothing: a record that is in no run */
  meterIndex: 13,
  /** u64 height → number of leaves ‖ encoded storage block without its leaves and records */
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
  /** u64 position of its first record → record hashes and sealed records that follow each other */
  segment: 22,
  /** u64 position → position ‖ sealed record that is too long for its segment */
  sealedApart: 23,
  /** u8 rank ‖ u64 index → rank ‖ index ‖ up to 16 roots of the log's subtrees */
  logTile: 24,
  /** first 8 bytes of a record hash ‖ position → nothing; on storage nodes only */
  recordPlace: 25,
  /** participant ‖ i64 day ‖ i64 last time ‖ u64 first position → run of its records in a block */
  ownerRun: 26,
  /** meter ‖ i64 day ‖ i64 last time ‖ u64 first position → run of its readings in a block */
  meterRun: 27,
  /** participant ‖ i64 day → what its runs of that day cost a page */
  ownerRunCost: 28,
  /** meter ‖ i64 day → what its runs of that day cost a page */
  meterRunCost: 29,
} as const;

export type Bucket = (typeof buckets)[keyof typeof buckets];
