import { Connection } from '@temporalio/client';
import { searchAttributeNames } from '../contracts/search-attributes.js';
import { RelinkError } from '../errors.js';
import type { TemporalSettings } from './connect-client.js';

const keywordType = 2;
const alreadyExists = 6;

/**
 * Registers Relink's search attributes on the namespace; those that exist stay. The worker does this at its start:
 * a workflow that sets an unregistered attribute would not start. Needs the operator API; where a cluster keeps that
 * to its administrators, they register the names once and this finds them there.
 */
export async function registerSearchAttributes(settings: TemporalSettings): Promise<void> {
  const connection = await connect(settings);
  try {
    const known = await connection.operatorService.listSearchAttributes({ namespace: settings.namespace });
    const missing = searchAttributeNames.filter(name => !Object.hasOwn(known.customAttributes ?? {}, name));
    if (missing.length === 0) return;
    await connection.operatorService.addSearchAttributes({
      namespace: settings.namespace,
      searchAttributes: Object.fromEntries(missing.map(name => [name, keywordType])),
    });
  } catch (error) {
    // Another worker registered them between the look and the call.
    if (!(error instanceof Error && 'code' in error && error.code === alreadyExists)) throw error;
  } finally {
    await connection.close();
  }
}

async function connect({ connectionOptions }: TemporalSettings): Promise<Connection> {
  try {
    return await Connection.connect(connectionOptions);
  } catch (error) {
    throw new RelinkError('temporal_unavailable', `Temporal at ${connectionOptions.address}`, { cause: error });
  }
}
