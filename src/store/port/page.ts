/**
 * Every list is bounded and walked by an opaque cursor: the id of the last row seen, or its time and id where the list
 * is in the order of a time. Ids sort by creation.
 */
export interface PageRequest {
  /** 1 to 100. */
  readonly limit: number;
  readonly after: string | null;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Null on the last page. */
  readonly next: string | null;
}
