import type { Activities } from '../contracts/activities.js';
import { RelinkError } from '../errors.js';
import { newId } from '../ids.js';
import type { ActivityDependencies } from './dependencies.js';

/** The entity first, then the attempt's answer: a crash in between repeats the first as a no-op. */
export function upsertEntity({ store, now }: ActivityDependencies): Activities['upsertEntity'] {
  return async ({ sessionId, credentialId }) => {
    const session = await store.getSession(sessionId);
    if (session === null) throw new RelinkError('attempt_not_found', sessionId);
    if (session.entityId !== null) return { entityId: session.entityId };
    if (session.account === null || session.grantSequence === null) {
      throw new RelinkError('internal', `${sessionId} names no account`);
    }
    const entity = await store.upsertEntity(
      {
        id: newId('entity'),
        userId: session.userId,
        provider: session.provider,
        externalId: session.account.externalId,
        name: session.account.name,
        credentialId,
        grantSequence: session.grantSequence,
      },
      now(),
    );
    const connected = await store.connectSession(sessionId, credentialId, entity.id, now());
    if (connected === null) throw new RelinkError('internal', `${sessionId} ended while it was connecting`);
    return { entityId: entity.id };
  };
}
