import { z } from 'zod';

/** One page of a list. */
export function listAnswer<Row extends z.ZodType>(row: Row) {
  return z.object({
    data: z.array(row).describe('The rows of this page, oldest first.'),
    next_cursor: z
      .string()
      .nullable()
      .describe('Give it as `cursor` to get the page that follows; null on the last page.'),
  });
}
