import { type IdKind, type IdOf, isId, type ProviderId } from '../../src/domain/ids.js';

/** Takes an id out of an answer; fails where it is not one. */
export function idOf<Kind extends IdKind>(kind: Kind, value: string | undefined): IdOf[Kind] {
  if (value === undefined || !isId(kind, value)) throw new Error(`not the id of a ${kind}: ${String(value)}`);
  return value;
}

export const sandboxProvider = 'sandbox' as ProviderId;
