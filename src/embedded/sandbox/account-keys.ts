import { createHmac, randomBytes } from 'node:crypto';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { z } from 'zod';
import type { GrantStore } from './grant-store.js';

/** Body of `POST /control/accounts/:account/keys`. */
export const keyRequestSchema = z.strictObject({ kind: z.enum(['api_key', 'basic', 'client_credentials']) });
export type KeyKind = z.infer<typeof keyRequestSchema>['kind'];

/** What a person would copy from the account's settings page, by kind: the `fields` of Relink's POST /api/credentials. */
export type AccountKey =
  | { readonly apiKey: string }
  | { readonly username: string; readonly password: string }
  | { readonly clientId: string; readonly clientSecret: string };

/**
 * Keys that are no grants: an account may have any number of each kind, and all die with `revoke`. The store holds
 * hashes only; a client's secret follows from its id, because oidc-provider wants it in clear.
 */
export class AccountKeys {
  readonly #keys: Adapter;

  constructor(
    store: GrantStore,
    readonly controlKey: string,
  ) {
    this.#keys = store.adapter('AccountKey');
  }

  async create(login: string, kind: KeyKind): Promise<AccountKey> {
    const random = randomBytes(24).toString('base64url');
    switch (kind) {
      case 'api_key':
        await this.#put(`api_key:sk_${random}`, login);
        return { apiKey: `sk_${random}` };
      case 'basic': {
        const username = `${login}@sandbox.test`;
        await this.#put(`basic:${username}:${random}`, login);
        return { username, password: random };
      }
      case 'client_credentials': {
        const clientId = `app-${login}-${randomBytes(8).toString('hex')}`;
        await this.#put(`client:${clientId}`, login);
        return { clientId, clientSecret: this.#secretOf(clientId) };
      }
    }
  }

  /** The login behind an API key, `<user name>:<password>` or a client id; undefined when it is unknown or revoked. */
  async find(kind: 'api_key' | 'basic' | 'client', value: string): Promise<string | undefined> {
    const found = await this.#keys.find(`${kind}:${value}`);
    return found ? found.accountId : undefined;
  }

  /** The client of a `client_credentials` key as oidc-provider wants it. */
  async findClient(clientId: string): Promise<AdapterPayload | undefined> {
    if ((await this.find('client', clientId)) === undefined) return undefined;
    return {
      client_id: clientId,
      client_secret: this.#secretOf(clientId),
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
      id_token_signed_response_alg: 'ES256',
    };
  }

  #put(id: string, login: string): Promise<undefined | void> {
    // Ten years: these keys do not expire.
    return this.#keys.upsert(id, { accountId: login }, 10 * 365 * 24 * 3600);
  }

  #secretOf(clientId: string): string {
    return createHmac('sha256', this.controlKey).update(clientId).digest('base64url');
  }
}
