import { judgeStanding } from '../domain/credential-standing.js';
import { RelinkError } from '../errors.js';
import type { Credential, Store } from '../store/port/store.js';

/** The credential as it stands now. @throws RelinkError `credential_dead` where its tokens are of no use any more. */
export async function readUsable(store: Pick<Store, 'getCredential'>, id: Credential['id']): Promise<Credential> {
  const credential = await store.getCredential(id);
  if (credential === null || judgeStanding(credential) === 'dead') throw new RelinkError('credential_dead', id);
  return credential;
}
