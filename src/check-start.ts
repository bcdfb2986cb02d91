import type { Core } from './compose.js';
import { ConfigError, RelinkError } from './errors.js';
import { explainStoreError } from './store/open-store.js';
import { credentialTokensBinding } from './vault/bindings.js';
import { readKeyName } from './vault/read-key-name.js';
import { parseKeyRing } from './vault/parse-key-ring.js';

/**
 * What has to hold before a process does any work: the database answers and is migrated, and `RELINK_KEYS` opens what is
 * sealed in it. A process with other keys would tell every connection's owner that the provider is away.
 *
 * @throws ConfigError, or RelinkError `database_not_migrated`.
 */
export async function checkStart(core: Pick<Core, 'config' | 'store' | 'vault'>): Promise<void> {
  try {
    await core.store.check();
    await checkKeys(core);
  } catch (error) {
    throw await explainStoreError(error, core.config.databaseUrl.reveal());
  }
}

/** One look at the credential made last: its key is the one that most of them are sealed under. */
async function checkKeys({ config, store, vault }: Pick<Core, 'config' | 'store' | 'vault'>): Promise<void> {
  const credential = await store.findAnyCredential();
  if (credential === null) return;
  try {
    vault.open(credential.sealedTokens, credentialTokensBinding(credential.id));
  } catch (error) {
    if (!(error instanceof RelinkError && error.code === 'secret_unreadable')) throw error;
    const name = readKeyName(credential.sealedTokens);
    const known = name !== null && parseKeyRing(config.keys).keys.has(name);
    throw new ConfigError([
      known
        ? `RELINK_KEYS: its key "${name}" is not the key of this name that sealed what is stored; give that one its name back, and a new key a new name`
        : `RELINK_KEYS lacks the key ${name === null ? '' : `"${name}" `}that sealed what is stored; put it back, behind the newer ones`,
    ]);
  }
}
