/**
 * A process with the proxies of a delayed network: its work is that of no node, so it is not to be
 * counted as one's. Started by delayed-network.ts; ends when that lets go of it.
 */
import { type Endpoint, Mesh } from "../../test/chaos/mesh.js";

export type DelayRequest = {
  readonly diallers: readonly string[];
  readonly managers: readonly Endpoint[];
  readonly oneWayMs: number;
};

/** By dialler and manager: where to dial. */
export type DelayAnswer = Readonly<Record<string, Readonly<Record<string, string>>>>;

process.once("message", async (message) => {
  const { diallers, managers, oneWayMs } = message as DelayRequest;
  const mesh = await Mesh.open(diallers, managers);
  const ids = managers.map(({ id }) => id);
  mesh.delay(diallers, ids, oneWayMs);
  const addresses = diallers.map((dialler) => {
    return [dialler, Object.fromEntries(mesh.addressesFor(dialler))] as const;
  });
  process.send?.(Object.fromEntries(addresses) satisfies DelayAnswer);
});
process.once("disconnect", () => process.exit(0));
