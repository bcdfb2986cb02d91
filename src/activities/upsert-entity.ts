import type { Activities } from '../contracts/activities.js';
import { readErrorCode, RelinkError } from '../errors.js';
import { newId } from '../ids.js';
import type { EntityWrite } from '../store/port/entity-store.js';
import type { ActivityDependencies } from './dependencies.js';

/** The entity first, then the attempt's answer: a crash in between repeats the first as a no-op. */
export function upsertEntity({ store, now }: ActivityDependencies): Activities['upsertEntity'] {
  return async ({ sessionId, credentialId }) => {
    const session = await store.getSession(sessionId);
    if (session === null) throw new RelinkError('attempt_not_found', sessionId);
    if (session.state === 'failed') throw new RelinkError(readErrorCode(session.errorCode), sessionId);
    if (session.entityId !== null) return { entityId: session.entityId };
    if (session.account === null || session.grantSequence === null) {
      throw new RelinkError('internal', `${sessionId} names no account`);
    }
    const write: EntityWrite = {
      id: newId('entity'),
      userId: session.userId,
      provider: session.provider,
      externalId: session.account.externalId,
      name: session.account.name,
      credentialId,
      grantSequence: session.grantSequence,
    };
    const entity = await store.upsertEntity(write, now()).catch((error: unknown) => {
      if (error instanceof RelinkError && error.code === 'not_found') return null;
      throw error;
    });
    if (entity === null) {
      // Its user deleted the credential just after it was stored, and that is the last word.
      const ended = await store.endOrphanedSession(sessionId, 'credential_removed', now());
      throw new RelinkError(ended === null ? 'write_conflict' : 'credential_removed', sessionId);
    }
    const connected = await store.connectSession(sessionId, credentialId, entity.id, now());
    if (connected === null) throw new RelinkError('internal', `${sessionId} ended while it was connecting`);
    return { entityId: entity.id };
  };
}
