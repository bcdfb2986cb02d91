import type { Credential } from '../store/port/store.js';
import type { ActivityDependencies } from './dependencies.js';

const words = {
  test: 'its test passed',
  refresh: 'its refresh passed',
  connected: 'its account was connected again',
};

/** The one line for operators that answers the one of a verdict, by whatever way the credential came back. */
export function tellRecovery(
  { log }: Pick<ActivityDependencies, 'log'>,
  { id: credentialId, provider, userId, externalId: account, epoch }: Credential,
  way: keyof typeof words,
): void {
  log.info(
    { credentialId, provider, userId, account, epoch, way },
    `Credential ${credentialId} works again: ${words[way]}.`,
  );
}
