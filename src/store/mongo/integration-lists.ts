import type { Document } from 'mongodb';
import { z } from 'zod';
import type { IntegrationId } from '../../domain/ids.js';
import type { AccountIntegrations, AccountKey, Integration, IntegrationStore } from '../port/integration-store.js';
import type { Page, PageRequest } from '../port/page.js';
import { afterTimeCursor, timeCursor, toPage } from '../pages.js';
import type { Collections } from './connect.js';
import { idOnly } from './id-only.js';
import { toIntegration } from './map-documents.js';
import { gateFields, toGate } from './read-integration-gates.js';
import { afterCursor, afterTime, oldestFirst } from './read-page.js';

type Lists = Pick<
  IntegrationStore,
  | 'listIntegrations'
  | 'findIntegrationsByEntityId'
  | 'findIntegrationsByCredentialId'
  | 'findIntegrationsByCauseCredentialId'
  | 'findIntegrationsOnAccounts'
  | 'listUnresumedIntegrations'
  | 'listUnsubscribedIntegrations'
  | 'listStaleIntegrations'
>;

const accountRows = z.array(z.object({ _id: z.string(), provider: z.string(), externalId: z.string() }));
const accountKey = ({ provider, externalId }: { readonly provider: string; readonly externalId: string }) =>
  `${provider} ${externalId}`;

/**
 * The integrations of somebody or something, page by page. The ids of an integration's entities stand in its document, in
 * an index with an entry for each of them: what references an entity is one look into it.
 */
export function createIntegrationLists({ integrations, entities, subscriptions }: Collections): Lists {
  async function findPage(filter: Document, page: PageRequest): Promise<Page<Integration>> {
    const found = await integrations
      .find({ ...filter, ...afterCursor(page) })
      .sort({ _id: 1 })
      .limit(page.limit + 1)
      .toArray();
    return toPage(found.map(toIntegration), page, integration => integration.id);
  }

  /** Each integration once, also when several of its entities are among them: it is one document. */
  async function findByEntities(filter: Document, page: PageRequest): Promise<Page<Integration>> {
    const found = await entities.find(filter, idOnly).toArray();
    if (found.length === 0) return { rows: [], next: null };
    return findPage({ entityIds: { $in: found.map(({ _id }) => _id) } }, page);
  }

  /** The entities of each account, whoever their users; one look for each provider. */
  async function findEntitiesOfAccounts(accounts: readonly AccountKey[]): Promise<ReadonlyMap<string, string[]>> {
    const found = new Map<string, string[]>();
    for (const provider of new Set(accounts.map(account => account.provider))) {
      const externalIds = accounts.filter(account => account.provider === provider).map(account => account.externalId);
      const rows = await entities
        .find({ provider, externalId: { $in: externalIds } }, { projection: { provider: 1, externalId: 1 } })
        .toArray();
      for (const row of accountRows.parse(rows)) {
        found.set(accountKey(row), [...(found.get(accountKey(row)) ?? []), row._id]);
      }
    }
    return found;
  }

  async function findIdsByEntities(entityIds: readonly string[], exceptTypes: readonly string[], limit: number) {
    const found = await integrations
      .find({ entityIds: { $in: [...entityIds] }, type: { $nin: [...exceptTypes] } }, idOnly)
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
    return found.map(({ _id }) => _id as IntegrationId);
  }

  return {
    listIntegrations: (userId, { status, entityId }, page) =>
      findPage(
        {
          userId,
          ...(entityId === undefined ? {} : { entityIds: entityId }),
          ...(status === undefined ? {} : { status }),
        },
        page,
      ),

    findIntegrationsByEntityId: (entityId, page) => findPage({ entityIds: entityId }, page),

    findIntegrationsByCredentialId: (credentialId, page) => findByEntities({ credentialId }, page),

    findIntegrationsByCauseCredentialId: (credentialId, page) =>
      findPage({ 'causes.credentialId': credentialId }, page),

    async findIntegrationsOnAccounts(accounts, exceptTypes, limitEach) {
      const entityIds = await findEntitiesOfAccounts(accounts);
      const found = await Promise.all(
        accounts.map(async (account): Promise<AccountIntegrations> => {
          const ids = entityIds.get(accountKey(account)) ?? [];
          const integrationIds = ids.length === 0 ? [] : await findIdsByEntities(ids, exceptTypes, limitEach);
          return { ...account, integrationIds };
        }),
      );
      return found.filter(({ integrationIds }) => integrationIds.length > 0);
    },

    async listUnresumedIntegrations(before, page) {
      const { from, take } = afterTimeCursor(page);
      const found = await integrations
        .find({ resuming: true, updatedAt: { $lt: before }, ...afterTime('updatedAt', from) })
        .sort(oldestFirst)
        .limit(take)
        .toArray();
      return toPage(found.map(toIntegration), page, row => timeCursor(row.updatedAt, row.id));
    },

    async listUnsubscribedIntegrations(page) {
      const after = { $gt: '', ...afterCursor(page)._id };
      const found = await integrations
        .find({ _id: after }, { projection: gateFields })
        .sort({ _id: 1 })
        .limit(page.limit + 1)
        .toArray();
      const { rows, next } = toPage(found, page, ({ _id }) => _id);
      if (rows.length === 0) return { rows: [], next };
      const subscribed = await subscriptions.find({ _id: { $in: rows.map(({ _id }) => _id) } }, idOnly).toArray();
      const known = new Set(subscribed.map(({ _id }) => _id));
      return { rows: rows.filter(({ _id }) => !known.has(_id)).map(toGate), next };
    },

    async listStaleIntegrations(lifecycle, before, limit) {
      const found = await integrations
        .find({ lifecycle, updatedAt: { $lt: before } })
        .sort(oldestFirst)
        .limit(limit)
        .toArray();
      return found.map(toIntegration);
    },
  };
}
