/** The meter of a participant that `bss init --participants` makes up. */
export const defaultMeter = { ratedPowerW: 25_000, intervalS: 3600 } as const;

/** The lowest port of the first manager minus one, of storage nodes, and of their metrics. */
export const defaultBasePort = 7400;
export const portOffsets = {
  manager: 0,
  storage: 100,
  managerMetrics: 2000,
  storageMetrics: 2100,
} as const;

export const countsMax = { managers: 100, storage: 1800, participants: 100_000 } as const;
