import type { Document } from 'mongodb';
import type { Integration, IntegrationStore } from '../port/integration-store.js';
import type { Page, PageRequest } from '../port/page.js';
import { toPage } from '../to-page.js';
import type { Collections } from './connect.js';
import { toIntegration } from './map-documents.js';
import { afterCursor } from './read-page.js';

type Lists = Pick<
  IntegrationStore,
  | 'listIntegrations'
  | 'findIntegrationsByEntityId'
  | 'findIntegrationsByCredentialId'
  | 'findIntegrationsByCauseCredentialId'
  | 'findIntegrationsByAccount'
  | 'listUnresumedIntegrations'
  | 'listStaleIntegrations'
>;

const oldestFirst = { updatedAt: 1, _id: 1 } as const;

/**
 * The integrations of somebody or something, page by page. The ids of an integration's entities stand in its document, in
 * an index with an entry for each of them: what references an entity is one look into it.
 */
export function createIntegrationLists({ integrations, entities }: Collections): Lists {
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
    const found = await entities.find(filter, { projection: { _id: 1 } }).toArray();
    if (found.length === 0) return { rows: [], next: null };
    return findPage({ entityIds: { $in: found.map(({ _id }) => _id) } }, page);
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

    findIntegrationsByAccount: (provider, externalId, page) => findByEntities({ provider, externalId }, page),

    async listUnresumedIntegrations(before, limit) {
      const found = await integrations
        .find({ resuming: true, updatedAt: { $lt: before } })
        .sort(oldestFirst)
        .limit(limit)
        .toArray();
      return found.map(toIntegration);
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
