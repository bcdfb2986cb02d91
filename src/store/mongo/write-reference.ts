import { randomUUID } from 'node:crypto';
import type { Document } from 'mongodb';
import { z } from 'zod';
import type { Documents } from './connect.js';

/** How long a pin holds: many times longer than a write may be on its way, so its writer is dead. */
const pinLifeMs = 3_600_000;

const pinned = z.object({ pins: z.array(z.string()).nullish() });

export interface Reference<Result> {
  /** What it refers to. */
  readonly to: Documents;
  readonly ids: readonly string[];
  /** The write. What it throws leaves open whether it happened. */
  readonly write: () => Promise<Result>;
  /** Undoes it. */
  readonly takeBack: (written: Result) => Promise<unknown>;
  /** What is thrown where one of them is not there, or went meanwhile. */
  readonly refuse: () => Error;
}

/**
 * Writes a reference where there are no foreign keys, so that what it points to is there, and stays.
 *
 * 1. The writer pins what it is about to refer to, which fails where that is gone; it writes; it unpins.
 * 2. A removal (`removeUnreferenced`) puts a mark of its own on the document, and learns by the same write whether it is
 *    pinned; it looks for references; it deletes on the condition that its own mark is still there.
 * 3. Pinning and unpinning take any mark away. A reference written before the look is found by it. One written after it was
 *    pinned before the mark (the removal sees the pin, or the unpinning takes the mark away) or after it (the pinning takes
 *    it away). Another removal's mark is another mark. So nothing is removed that a reference points to, nothing is
 *    shown that is taken back, and a mark that was left behind stops nobody.
 *
 * A write whose answer was lost may still happen, so its pin stays. It counts for nothing after an hour; a writer that
 * slept that long finds its pin gone with the document, and takes the write back.
 */
export async function writeReference<Result>(reference: Reference<Result>): Promise<Result> {
  const { to, ids, write, takeBack, refuse } = reference;
  const pin = `${new Date().toISOString()} ${randomUUID()}`;
  const all = { _id: { $in: [...ids] } };
  const unpinned: Document = { $set: { removing: null }, $pull: { pins: pin } };
  const unpin = async () => (await to.updateMany({ ...all, pins: pin }, unpinned)).matchedCount;

  const { matchedCount } = await to.updateMany(all, { $set: { removing: null }, $addToSet: { pins: pin } });
  if (matchedCount < ids.length) {
    if (matchedCount > 0) await unpin();
    throw refuse();
  }
  const written = await write();
  if ((await unpin()) === ids.length) return written;
  await takeBack(written);
  throw refuse();
}

/**
 * Removes what nobody refers to, by the order of `writeReference`.
 *
 * @returns whether it is gone: by this call, on the condition that held from its mark on.
 */
export async function removeUnreferenced(
  from: Documents,
  condition: Document & { readonly _id: string },
  isReferenced: () => Promise<boolean>,
): Promise<boolean> {
  const removing = randomUUID();
  const marked = await from.findOneAndUpdate(condition, { $set: { removing } }, { returnDocument: 'after' });
  if (marked === null || isPinned(marked) || (await isReferenced())) return false;
  return (await from.deleteOne({ ...condition, removing })).deletedCount > 0;
}

function isPinned(document: unknown): boolean {
  const living = new Date(Date.now() - pinLifeMs).toISOString();
  return (pinned.parse(document).pins ?? []).some(pin => pin > living);
}
