import type { Document } from 'mongodb';
import { RelinkError } from '../../errors.js';
import type { PageRequest } from '../port/page.js';

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

/** A document could hold a NUL; the other stores could not, and nothing legitimate has one. */
export function refuseNul(text: string): void {
  if (text.includes('\0')) {
    throw new RelinkError('invalid_request', 'the text holds characters that cannot be stored');
  }
}
