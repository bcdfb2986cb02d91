import { randomBytes } from 'node:crypto';
import type { Cause } from '../../../domain/cause.js';
import type { ExternalId, IntegrationId, ProviderId, UserId } from '../../../domain/ids.js';
import type { IntegrationState } from '../../../domain/integration-state.js';
import type { SessionState } from '../../../domain/session.js';
import { newId } from '../../../ids.js';
import type { NewDelivery, Store, TokenRead } from '../../../store/port/store.js';
import type { RecordKind, RecordStore, TransferRecord } from '../../../store/transfer/records.js';
import * as records from './records.js';
import type { Sealing } from './sealing.js';

/** A user with accounts; each integration is on one account of its own and on the user's first. */
export interface Person {
  readonly userId: UserId;
  readonly credentials: readonly records.CredentialRow[];
  readonly entities: readonly records.EntityRow[];
  readonly integrations: readonly records.IntegrationRow[];
}

export interface Queue {
  readonly integrationId: IntegrationId;
  readonly deliveries: readonly NewDelivery[];
}

export const ready: IntegrationState = { lifecycle: 'ready', intent: 'on', causes: [], epochs: {} };
/** How many accounts and integrations a person has. */
export const each = 20;
const rowsAtOnce = 200;

const random = () => randomBytes(8).toString('hex');
const times = <Row>(count: number, make: (place: number) => Row): Row[] =>
  Array.from({ length: count }, (_, place) => make(place));

export function causeOf({ id }: records.CredentialRow): Cause {
  return {
    ...{ credentialId: id, epoch: 2, provider: records.provider as ProviderId, kind: 'oauth2' },
    ...{ code: 'credential_refused', httpStatus: 401 },
    ...{ text: 'The sandbox no longer accepts this connection.', since: new Date().toISOString() },
  };
}

/**
 * What there is in the database, and what is put there for the calls to come. People stay; everything else is removed
 * between the operations, so that none of them pays for the one before.
 */
export class Scene {
  readonly people: Person[] = [];

  constructor(
    readonly store: Store,
    private readonly rows: RecordStore,
    readonly sealing: Sealing,
    /** How many deliveries are stored, claimed and ended at once. */
    readonly lot: number,
  ) {}

  /** Somebody, in turns. */
  person(place: number): Person {
    const found = this.people[place % this.people.length];
    if (found === undefined) throw new Error('Nobody is there');
    return found;
  }

  async addPeople(count: number): Promise<void> {
    for (let place = 0; place < count; place += 1) {
      const userId = `user-${random()}` as UserId;
      const credentials = await this.addCredentials(each, {}, userId);
      const entities = credentials.map(({ id, externalId }) => ({
        ...{ id: newId('entity'), userId, externalId, credentialId: id },
      }));
      await this.write('entities', entities.map(records.entityRecord));
      const [first] = credentials;
      // A quarter of them is held, by the first account.
      const integrations = entities.map((entity, index) => ({
        ...{ id: newId('integration'), userId, type: `type-${index}` },
        entityIds: [...new Set([entity.id, entities[0]?.id ?? entity.id])].sort(),
        state: first !== undefined && index % 4 === 3 ? { ...ready, causes: [causeOf(first)] } : ready,
      }));
      await this.write('integrations', integrations.map(records.integrationRecord));
      await this.addSubscriptions(integrations);
      this.people.push({ userId, credentials, entities, integrations });
    }
  }

  newSessions(count: number): records.SessionRow[] {
    return times(count, place => ({
      ...{ id: newId('session'), userId: this.person(place).userId, stateHash: random() + random() },
    }));
  }

  async addSessions(count: number, state: SessionState): Promise<readonly records.SessionRow[]> {
    const sessions = this.newSessions(count);
    const toRecord = (row: records.SessionRow) => records.sessionRecord(row, state, this.sealing.request(row.id));
    await this.write('authorization_sessions', sessions.map(toRecord));
    return sessions;
  }

  newCredentials(count: number, userId?: UserId): records.CredentialRow[] {
    return times(count, place => ({
      ...{ id: newId('credential'), userId: userId ?? this.person(place).userId },
      externalId: `account-${random()}` as ExternalId,
    }));
  }

  async addCredentials(count: number, look: records.CredentialLook = {}, userId?: UserId) {
    const credentials = this.newCredentials(count, userId);
    const toRecord = (row: records.CredentialRow) => records.credentialRecord(row, this.sealing.tokens(row.id), look);
    await this.write('credentials', credentials.map(toRecord));
    return credentials;
  }

  newEntities(count: number): records.EntityRow[] {
    return times(count, place => {
      const { userId, credentials } = this.person(place);
      const [credential] = credentials;
      if (credential === undefined) throw new Error('Nobody has an account');
      const externalId = `account-${random()}` as ExternalId;
      return { id: newId('entity'), userId, externalId, credentialId: credential.id };
    });
  }

  async addEntities(count: number): Promise<readonly records.EntityRow[]> {
    const entities = this.newEntities(count);
    await this.write('entities', entities.map(records.entityRecord));
    return entities;
  }

  newIntegrations(count: number): records.IntegrationRow[] {
    return times(count, place => {
      const { userId, entities } = this.person(place);
      const entityIds = entities.slice(0, 2).map(({ id }) => id);
      return { id: newId('integration'), userId, type: `type-${random()}`, entityIds: entityIds.sort(), state: ready };
    });
  }

  async addIntegrations(count: number): Promise<readonly records.IntegrationRow[]> {
    const integrations = this.newIntegrations(count);
    await this.write('integrations', integrations.map(records.integrationRecord));
    return integrations;
  }

  async addSubscriptions(integrations: readonly records.IntegrationRow[]): Promise<void> {
    const toRecord = ({ id }: records.IntegrationRow) => records.subscriptionRecord(id, this.sealing.secrets(id));
    await this.write('subscriptions', integrations.map(toRecord));
  }

  newTokenReads(count: number): TokenRead[] {
    return this.newCredentials(count).map(({ id: credentialId, userId }) => ({
      ...{ id: newId('tokenRead'), credentialId, userId, apiKey: 'backend', generation: 1 },
      ...{ requestId: random(), readAt: new Date() },
    }));
  }

  newDeliveries(integrationId: IntegrationId, count: number): NewDelivery[] {
    return times(count, () => {
      const externalId = random();
      const id = newId('delivery');
      const sealedContent = this.sealing.content(integrationId, externalId);
      const receivedAt = new Date();
      return { id, integrationId, provider: records.provider as ProviderId, externalId, sealedContent, receivedAt };
    });
  }

  /** Integrations that are nobody's, with so many deliveries each and a consumer of this name. */
  async addFullQueues(count: number, deliveries: number, claim: string): Promise<readonly Queue[]> {
    const queues = times(count, () => {
      const integrationId = newId('integration');
      return { integrationId, deliveries: this.newDeliveries(integrationId, deliveries) };
    });
    const all = queues.flatMap(queue => queue.deliveries);
    for (let from = 0; from < all.length; from += rowsAtOnce) {
      await this.store.insertDeliveries(all.slice(from, from + rowsAtOnce));
    }
    for (const { integrationId } of queues) await this.store.becomeConsumer(integrationId, claim, new Date());
    return queues;
  }

  /** The same, for calls that need to know no more than where they are. */
  async addQueues(count: number, deliveries: number, claim: string): Promise<readonly IntegrationId[]> {
    return (await this.addFullQueues(count, deliveries, claim)).map(({ integrationId }) => integrationId);
  }

  async write(kind: RecordKind, made: readonly TransferRecord[]): Promise<void> {
    for (let from = 0; from < made.length; from += rowsAtOnce) {
      await this.rows.write(kind, made.slice(from, from + rowsAtOnce));
    }
  }
}
