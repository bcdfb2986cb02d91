import { z } from 'zod';
import { findAccountByLogin, type SandboxAccount } from './accounts.js';

/** Body of `PUT /control/accounts/:account/policy`: what is given replaces the account's own from then on. */
export const policySchema = z
  .strictObject({
    /** See {@link SandboxAccount.refreshToken}. Holds for the next refresh of grants that exist already, too. */
    refreshToken: z.enum(['none', 'kept', 'rotated']),
    /** Seconds. */
    accessTokenTtl: z.int().min(1).max(315_360_000),
    /** Characters of each access and refresh token. */
    tokenLength: z.int().min(22).max(12_000),
  })
  .partial();

export type AccountPolicy = z.infer<typeof policySchema>;

const defaultTokenLength = 43;

/** How each account's tokens are made: its own way, the start's, or what the control API set last. */
export class AccountPolicies {
  readonly #set = new Map<string, AccountPolicy>();

  /** @param accessTokenTtl Seconds, by login. */
  constructor(readonly accessTokenTtl: Readonly<Record<string, number>>) {}

  set(logins: readonly string[], policy: AccountPolicy): void {
    for (const login of logins) this.#set.set(login, { ...this.#set.get(login), ...policy });
  }

  reset(logins: readonly string[]): void {
    for (const login of logins) this.#set.delete(login);
  }

  refreshToken(login: string | undefined): SandboxAccount['refreshToken'] {
    return this.#of(login).refreshToken ?? findAccountByLogin(login)?.refreshToken ?? 'none';
  }

  /** Seconds. */
  ttl(login: string | undefined): number {
    const started = login === undefined ? undefined : this.accessTokenTtl[login];
    return this.#of(login).accessTokenTtl ?? started ?? findAccountByLogin(login)?.accessTokenTtl ?? 3600;
  }

  tokenLength(login: string | undefined): number {
    return this.#of(login).tokenLength ?? defaultTokenLength;
  }

  #of(login: string | undefined): AccountPolicy {
    return (login === undefined ? undefined : this.#set.get(login)) ?? {};
  }
}
