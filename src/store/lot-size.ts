/** A lot of deliveries ends before it would hold more sealed content than this, but for its first delivery. */
export const largestLotBytes = 8 * 1024 * 1024;
