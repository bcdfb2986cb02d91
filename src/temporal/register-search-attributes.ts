import { Connection, isGrpcServiceError } from '@temporalio/client';
import { searchAttributeNames } from '../contracts/search-attributes.js';
import { RelinkError } from '../errors.js';
import type { Log } from '../log.js';
import type { TemporalSettings } from './connect-client.js';

const keywordType = 2;
/** https://grpc.io/docs/guides/status-codes/ */
const alreadyExists = 6;
/** UNIMPLEMENTED, PERMISSION_DENIED, UNAUTHENTICATED: the operator API is not for us. */
const refused: readonly number[] = [12, 7, 16];
/** DEADLINE_EXCEEDED, UNAVAILABLE. Any other, such as a namespace that does not exist, speaks for itself. */
const away: readonly number[] = [4, 14];
const deadlineMs = 10_000;

/**
 * Registers Relink's search attributes on the namespace; those that exist stay. The worker does this at its start:
 * a workflow that sets an unregistered attribute would not start. Where a cluster keeps the operator API to its
 * administrators, they register the names once, and a warning says so.
 *
 * @throws RelinkError `temporal_unavailable`.
 */
export async function registerSearchAttributes(settings: TemporalSettings, log: Log): Promise<void> {
  const connection = await connect(settings);
  let missing: readonly string[] = searchAttributeNames;
  try {
    await connection.withDeadline(Date.now() + deadlineMs, async () => {
      const { namespace } = settings;
      const known = await connection.operatorService.listSearchAttributes({ namespace });
      missing = searchAttributeNames.filter(name => !Object.hasOwn(known.customAttributes ?? {}, name));
      if (missing.length === 0) return;
      const searchAttributes = Object.fromEntries(missing.map(name => [name, keywordType]));
      await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    });
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    const code: number = error.code;
    // Another worker registered them between the look and the call.
    if (code === alreadyExists) return;
    if (away.includes(code)) throw unavailable(settings, error);
    if (!refused.includes(code)) throw error;
    log.warn(
      { namespace: settings.namespace, grpcCode: code },
      `Search attributes cannot be registered from here; unless they exist, an administrator has to register these, of type Keyword: ${missing.join(', ')}`,
    );
  } finally {
    await connection.close();
  }
}

async function connect(settings: TemporalSettings): Promise<Connection> {
  try {
    return await Connection.connect(settings.connectionOptions);
  } catch (error) {
    throw unavailable(settings, error);
  }
}

function unavailable({ connectionOptions }: TemporalSettings, cause: unknown): RelinkError {
  return new RelinkError('temporal_unavailable', `Temporal at ${connectionOptions.address}`, { cause });
}
