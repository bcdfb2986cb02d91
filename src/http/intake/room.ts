import { RelinkError } from '../../errors.js';

export interface RoomSize {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Bounds what waits for the database, by number and by size: while it hangs, everything that comes would be kept in
 * memory until the process dies of it, and with it what was about to be stored. What finds the room full is refused,
 * and its provider comes again. One that finds any room left goes in, however large it is.
 */
export class Room {
  private count = 0;
  private bytes = 0;

  constructor(private readonly size: RoomSize) {}

  /**
   * @returns What has to be called once, when it is done.
   * @throws RelinkError `database_unavailable` when the room is full.
   */
  enter(bytes: number): () => void {
    if (this.count >= this.size.count || this.bytes >= this.size.bytes) {
      throw new RelinkError('database_unavailable', 'too much waits for it already');
    }
    this.count += 1;
    this.bytes += bytes;
    return () => {
      this.count -= 1;
      this.bytes -= bytes;
    };
  }
}

/** How many of the items, from the first on, fit into `size` together; at least one, however large it is. */
export function countFitting<Item>(items: readonly Item[], size: RoomSize, bytesOf: (item: Item) => number): number {
  let bytes = 0;
  let count = 0;
  for (const item of items) {
    bytes += bytesOf(item);
    if (count > 0 && (count >= size.count || bytes > size.bytes)) break;
    count += 1;
  }
  return count;
}
