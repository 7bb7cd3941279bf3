/** How busy this process is, for what may take more of its time while it has some to spare. */

/** Shorter times say more about one call than about the load, ms. */
const spanMsMin = 100;

/**
 * A meter of the share of the time, 0 to 1, in which the event loop had work: of the span from one
 * reading to the next, of at least `spanMsMin`.
 */
export function busyShareMeter(): () => number {
  let before = performance.eventLoopUtilization();
  let share = 0;
  return () => {
    const span = performance.eventLoopUtilization(before);
    if (span.idle + span.active >= spanMsMin) {
      share = span.utilization;
      before = performance.eventLoopUtilization();
    }
    return share;
  };
}
