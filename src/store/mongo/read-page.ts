import type { Document } from 'mongodb';
import type { PageRequest } from '../port/page.js';
import { refuseNul } from '../stored-shapes.js';

/** The keyset condition of a page by `_id`: what comes after the cursor. */
export function afterCursor({ after }: PageRequest): { _id?: { $gt: string } } {
  if (after === null) return {};
  refuseNul(after);
  return { _id: { $gt: after } };
}

/** The same in the order of a time, and of ids where times are equal. */
export function afterTime(field: string, from: { readonly time: Date; readonly id: string } | null): Document {
  if (from === null) return {};
  const { time, id } = from;
  return { $or: [{ [field]: { $gt: time } }, { [field]: time, _id: { $gt: id } }] };
}

/** In the order of `afterTime`. */
export const oldestFirst = { updatedAt: 1, _id: 1 } as const;
