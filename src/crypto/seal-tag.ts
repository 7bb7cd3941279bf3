/** How much longer a sealed record is than its plaintext (seal.ts). */
export const sealTagBytes = 16;
