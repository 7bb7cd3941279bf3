/**
 * Ids. Who takes part (managers, storage nodes, officers, participants) is named strictly, since
 * these ids stand in certificates and are directories. Meters and charging stations keep the names
 * that they have in the field: EVSE ids (DE*ABC*E1), metering point numbers, what OCPP allows.
 */

export const idBytesMax = 63;

const idPattern = /^[a-z0-9-]{1,63}$/;

/**
 * The characters are those of OCPP 2.0.1's identifierString. None of them separates state keys or
 * parts of a path, quotes a CSV field or moves a terminal's cursor. The first one is a letter or a
 * digit, so that no id looks like an option of a command, a formula of a spreadsheet, or "..".
 */
const deviceIdPattern = /^[A-Za-z0-9][A-Za-z0-9*._:+@=|-]{0,62}$/;

/** What an id of a meter or a station is, for people. */
export const deviceIdForm =
  "1 to 63 characters: letters, digits and - . _ : * + @ = |, a letter or a digit first";

/** Whether `text` may be an id. It then holds ASCII only, so its order by bytes is JavaScript's. */
export function isId(text: string): boolean {
  return idPattern.test(text);
}

/** Whether `text` may be the id of a meter or of a charging station. */
export function isDeviceId(text: string): boolean {
  return deviceIdPattern.test(text);
}

/**
 * The same text for all device ids that differ only in case. To the standards of the field such ids
 * are one, so two meters of one folded id would be one meter that counts twice.
 */
export function foldedId(deviceId: string): string {
  return deviceId.toLowerCase();
}

/** Bytewise order of two ids: negative when `a` comes first. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
