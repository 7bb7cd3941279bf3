/** What the parts of a byzantine manager share. */
import type { ManagerHost } from "../nodes/manager-host.js";
import type { Random } from "../random.js";
import type { Signer } from "../statements.js";
import type { World } from "../world.js";

export type ByzantineParts = {
  readonly world: World;
  readonly node: ManagerHost;
  readonly random: Random;
  readonly signer: Signer;
};

/** Each of the others with an even chance. */
export function someOthers({ world, node, random }: ByzantineParts): readonly string[] {
  return world.consortium.managerIds.filter((id) => id !== node.id && random.chance(0.5));
}
