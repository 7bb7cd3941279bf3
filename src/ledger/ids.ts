/** Ids of managers, storage nodes, participants, officers and meters: [a-z0-9-]{1,63}. */

export const idBytesMax = 63;

const idPattern = /^[a-z0-9-]{1,63}$/;

/** Whether `text` may be an id. It then holds ASCII only, so its order by bytes is JavaScript's. */
export function isId(text: string): boolean {
  return idPattern.test(text);
}

/** Bytewise order of two ids: negative when `a` comes first. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
