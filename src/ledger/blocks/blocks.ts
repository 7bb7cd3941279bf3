/**
 * Blocks of the managers' chain, from their smallest part up: how the parts are hashed, what a
 * peer's public block must look like, and what a whole block with its private entries and records
 * must look like.
 */
export * from "./block-hashes.js";
export * from "./block-parsing.js";
export * from "./manager-blocks.js";
