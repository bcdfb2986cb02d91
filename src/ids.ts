import { v7 } from 'uuid';
import { idPrefixes, type IdKind, type IdOf } from './domain/ids.js';

/** Makes an id that sorts by its time of creation (UUIDv7, RFC 9562 section 5.7). */
export function newId<Kind extends IdKind>(kind: Kind): IdOf[Kind] {
  return `${idPrefixes[kind]}_${v7().replaceAll('-', '')}` as IdOf[Kind];
}
