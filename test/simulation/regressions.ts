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
    seed: 27,
    reason: "who is resumed by a block does not agree on who is suspended by it, at any time",
  },
  {
    seed: 62,
    managersCount: 2,
    reason: "storage nodes that are gone are suspended while records wait for them",
  },
];
