import { randomUUID } from 'node:crypto';
import type { Document } from 'mongodb';
import type { Documents } from '../../../../store/mongo/connect.js';

/** The two writes around a reference, as src/store/mongo/write-reference.ts explains them. */
export function pinReferences(to: Documents, ids: readonly string[]) {
  const pin = `${new Date().toISOString()} ${randomUUID()}`;
  const all = { _id: { $in: [...ids] } };
  const unpinned: Document = { $set: { removing: null }, $pull: { pins: pin } };
  return {
    pin: () => to.updateMany(all, { $set: { removing: null }, $addToSet: { pins: pin } }),
    unpin: () => to.updateMany({ ...all, pins: pin }, unpinned),
  };
}
