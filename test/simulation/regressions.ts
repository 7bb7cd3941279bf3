/**
 * Seeds that are worth running again. Each was the first to show what its reason says, when the
 * rule was broken on purpose or by mistake. A seed means something only together with the code that
 * makes a plan of it: whoever changes the plans or the faults looks for new ones.
 */
export type Regression = {
  readonly seed: number;
  readonly managersCount?: number;
  readonly storageCount?: number;
  readonly reason: string;
};

export const regressions: readonly Regression[] = [
  {
    seed: 62,
    managersCount: 2,
    reason: "storage nodes that are gone are suspended while records wait for them",
  },
  {
    seed: 810345,
    managersCount: 2,
    storageCount: 3,
    reason: "a claim of silence fits a block that carries the last attestation of the silent node",
  },
  {
    seed: 810214,
    managersCount: 1,
    reason: "a storage node learns of the last block of an idle ring although its news was lost",
  },
];
