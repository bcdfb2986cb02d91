/** Effectively for ever: ten years, in seconds. */
const practicallyForever = 10 * 365 * 24 * 3600;

export interface SandboxAccount {
  /** What the consent page offers and the control API takes. One login is one user of one provider account. */
  readonly login: string;
  readonly account_id: string;
  readonly account_name: string;
  readonly user_id: string;
  readonly user_name: string;
  /** Lifetime of an access token, in seconds. */
  readonly accessTokenTtl: number;
  /** `none`: never issued. `kept`: a refresh answers with the same one. `rotated`: each is good for one refresh. */
  readonly refreshToken: 'none' | 'kept' | 'rotated';
  /** Shown on the consent page: what a tester gets by choosing this account. */
  readonly note: string;
}

/** Every login of the sandbox. The account decides the token policy, so that one provider can tell all stories. */
export const sandboxAccounts: readonly SandboxAccount[] = [
  {
    login: 'acme',
    account_id: 'acct_acme',
    account_name: 'Acme',
    user_id: 'user_acme_owner',
    user_name: 'Owner',
    accessTokenTtl: practicallyForever,
    refreshToken: 'none',
    note: 'Access does not expire. No refresh token.',
  },
  {
    login: 'globex',
    account_id: 'acct_globex',
    account_name: 'Globex',
    user_id: 'user_globex_owner',
    user_name: 'Owner',
    accessTokenTtl: 3600,
    refreshToken: 'kept',
    note: 'Access lasts an hour. The refresh token stays the same.',
  },
  {
    login: 'initech',
    account_id: 'acct_initech',
    account_name: 'Initech',
    user_id: 'user_initech_owner',
    user_name: 'Owner',
    accessTokenTtl: 60,
    refreshToken: 'rotated',
    note: 'Access lasts a minute. The refresh token changes with each use.',
  },
  {
    login: 'hooli',
    account_id: 'acct_hooli',
    account_name: 'Hooli',
    user_id: 'user_hooli_owner',
    user_name: 'Owner',
    accessTokenTtl: practicallyForever,
    refreshToken: 'none',
    note: 'Access does not expire. No refresh token.',
  },
  {
    login: 'umbrella-ann',
    account_id: 'acct_umbrella',
    account_name: 'Umbrella',
    user_id: 'user_umbrella_owner',
    user_name: 'Owner',
    accessTokenTtl: 3600,
    refreshToken: 'kept',
    note: 'Access lasts an hour. Shares its account with another user.',
  },
  {
    login: 'umbrella-bob',
    account_id: 'acct_umbrella',
    account_name: 'Umbrella',
    user_id: 'user_umbrella_admin',
    user_name: 'Admin',
    accessTokenTtl: 3600,
    refreshToken: 'kept',
    note: 'Access lasts an hour. Shares its account with another user.',
  },
];

const byLogin = new Map(sandboxAccounts.map(account => [account.login, account]));

export function findAccountByLogin(login: string | undefined): SandboxAccount | undefined {
  return login === undefined ? undefined : byLogin.get(login);
}

/** The logins a name stands for: one login by its own name, or every user of an `account_id`. */
export function findLogins(name: string): string[] {
  return sandboxAccounts.filter(({ login, account_id }) => login === name || account_id === name).map(a => a.login);
}
