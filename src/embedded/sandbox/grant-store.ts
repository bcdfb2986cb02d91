import { createHash } from 'node:crypto';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { z } from 'zod';
import { loginOfClient } from './login-of-client.js';

/** What survives a restart. The rest (interactions, codes, sessions) lives for minutes and may be lost. */
const durable = new Set(['Grant', 'AccessToken', 'RefreshToken', 'ClientCredentials', 'AccountKey']);

const recordSchema = z.object({
  model: z.string(),
  key: z.string(),
  payload: z.looseObject({
    grantId: z.string().optional(),
    accountId: z.string().optional(),
    clientId: z.string().optional(),
  }),
  /** Unix time in milliseconds; absent: never. */
  expiresAt: z.number().optional(),
});

/** The stored form of a store, as the state file holds it. */
export const storeSnapshotSchema = z.object({ version: z.literal(1), records: z.array(recordSchema) });
export type StoreSnapshot = z.infer<typeof storeSnapshotSchema>;

interface Entry {
  readonly payload: AdapterPayload;
  readonly expiresAt: number | undefined;
}

/**
 * The sandbox's storage: one bounded map per model of oidc-provider, with an index by grant for revocation.
 *
 * Ids are kept as SHA-256, because oidc-provider uses the token itself as the id: neither the memory image nor the
 * state file can be used as a bag of tokens.
 */
export class GrantStore {
  readonly #models = new Map<string, Map<string, Entry>>();
  readonly #byGrant = new Map<string, Set<readonly [model: string, key: string]>>();
  readonly #members = new Map<string, readonly [model: string, key: string]>();

  /** @param limit Entries per model; past it the oldest fall out. */
  constructor(
    readonly onDurableChange: () => void = () => undefined,
    readonly limit = 20_000,
  ) {}

  /** The adapter oidc-provider asks for, for one of its models. */
  adapter(model: string): Adapter {
    return {
      upsert: (id, payload, expiresIn) => {
        // The sandbox remembers no browser (see build-provider.ts), so nobody would ever ask for a session.
        if (model === 'Session') return Promise.resolve();
        // The id is the token: it is put back by find().
        const stored = { ...payload };
        delete stored.jti;
        this.#put(model, hashId(id), stored, expiresIn === undefined ? undefined : Date.now() + expiresIn * 1000);
        return Promise.resolve();
      },
      find: id => {
        const entry = this.#get(model, hashId(id));
        return Promise.resolve(entry && { ...entry.payload, jti: id });
      },
      findByUid: () => Promise.resolve(undefined),
      findByUserCode: () => Promise.resolve(undefined),
      consume: id => {
        const entry = this.#get(model, hashId(id));
        if (entry) {
          entry.payload.consumed = Math.floor(Date.now() / 1000);
          this.#changed(model);
        }
        return Promise.resolve();
      },
      destroy: id => {
        this.#remove(model, hashId(id));
        return Promise.resolve();
      },
      revokeByGrantId: grantId => {
        this.#revokeGrant(grantId);
        return Promise.resolve();
      },
    };
  }

  /** Removes every grant and key of these logins with its codes and tokens. Returns the number removed. */
  revokeLogins(logins: readonly string[]): number {
    return this.#removeWhere(
      ['Grant', 'AuthorizationCode', 'AccessToken', 'RefreshToken', 'ClientCredentials', 'AccountKey'],
      logins,
    );
  }

  /** Removes the access tokens of these logins, as if their time had come; grants and refresh tokens stay. */
  expireAccessTokens(logins: readonly string[]): number {
    return this.#removeWhere(['AccessToken', 'ClientCredentials'], logins);
  }

  snapshot(): StoreSnapshot {
    const records: StoreSnapshot['records'] = [];
    for (const model of durable) {
      for (const [key, entry] of this.#models.get(model) ?? []) {
        if (isExpired(entry)) continue;
        records.push({ model, key, payload: { ...entry.payload }, expiresAt: entry.expiresAt });
      }
    }
    return { version: 1, records };
  }

  restore(snapshot: StoreSnapshot): void {
    for (const { model, key, payload, expiresAt } of snapshot.records) {
      if (durable.has(model)) this.#put(model, key, payload, expiresAt);
    }
  }

  #get(model: string, key: string): Entry | undefined {
    const entry = this.#models.get(model)?.get(key);
    if (entry && isExpired(entry)) {
      this.#remove(model, key);
      return undefined;
    }
    return entry;
  }

  #put(model: string, key: string, payload: AdapterPayload, expiresAt: number | undefined): void {
    this.#remove(model, key);
    let entries = this.#models.get(model);
    if (!entries) this.#models.set(model, (entries = new Map<string, Entry>()));
    entries.set(key, { payload, expiresAt });
    if (payload.grantId !== undefined) {
      const member = [model, key] as const;
      let members = this.#byGrant.get(payload.grantId);
      if (!members) this.#byGrant.set(payload.grantId, (members = new Set()));
      members.add(member);
      this.#members.set(`${model}:${key}`, member);
    }
    if (entries.size > this.limit) {
      const [oldest] = entries.keys();
      if (oldest !== undefined) this.#remove(model, oldest);
    }
    this.#changed(model);
  }

  #remove(model: string, key: string): void {
    const entries = this.#models.get(model);
    const entry = entries?.get(key);
    if (!entries || !entry) return;
    entries.delete(key);
    const member = this.#members.get(`${model}:${key}`);
    const { grantId } = entry.payload;
    if (member && grantId !== undefined) {
      this.#members.delete(`${model}:${key}`);
      const members = this.#byGrant.get(grantId);
      members?.delete(member);
      if (members?.size === 0) this.#byGrant.delete(grantId);
    }
    this.#changed(model);
  }

  #revokeGrant(grantId: string): void {
    for (const [model, key] of [...(this.#byGrant.get(grantId) ?? [])]) this.#remove(model, key);
  }

  #removeWhere(models: readonly string[], logins: readonly string[]): number {
    let removed = 0;
    for (const model of models) {
      for (const [key, { payload }] of [...(this.#models.get(model) ?? [])]) {
        const login = payload.accountId ?? loginOfClient(payload.clientId);
        if (login === undefined || !logins.includes(login)) continue;
        this.#remove(model, key);
        removed += 1;
      }
    }
    return removed;
  }

  #changed(model: string): void {
    if (durable.has(model)) this.onDurableChange();
  }
}

function hashId(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}

function isExpired(entry: Entry): boolean {
  return entry.expiresAt !== undefined && entry.expiresAt <= Date.now();
}
