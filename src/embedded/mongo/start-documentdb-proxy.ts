import { findRefused } from './find-refused.js';
import { startWireProxy, type WireProxy, type WireTarget } from './start-wire-proxy.js';

/** CommandNotSupported. */
const notSupported = 115;

/**
 * Makes a MongoDB-compatible server as narrow as Amazon DocumentDB: refuses every command, operator and index option
 * that is outside Amazon's list.
 */
export function startDocumentdbProxy(target: WireTarget): Promise<WireProxy> {
  return startWireProxy(target, command => {
    const refused = findRefused(command);
    if (refused === undefined) return 'pass';
    const errmsg = `Feature not supported: ${refused}`;
    return { reply: { ok: 0, errmsg, code: notSupported, codeName: 'CommandNotSupported' } };
  });
}
