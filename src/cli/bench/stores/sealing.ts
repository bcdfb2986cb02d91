import type { CredentialId, IntegrationId, SessionId } from '../../../domain/ids.js';
import {
  credentialTokensBinding,
  deliveryContentBinding,
  sessionGrantBinding,
  sessionRequestBinding,
  subscriptionSecretsBinding,
} from '../../../vault/bindings.js';
import { generateKey } from '../../../vault/generate-key.js';
import { parseKeyRing } from '../../../vault/parse-key-ring.js';
import { Secret } from '../../../vault/secret.js';
import { createVault } from '../../../vault/vault.js';

/** What a caller of a store seals before it writes, and opens after it read. */
export interface Sealing {
  readonly request: (id: SessionId) => string;
  readonly grant: (id: SessionId) => string;
  readonly tokens: (id: CredentialId) => string;
  readonly content: (integrationId: IntegrationId, externalId: string) => string;
  readonly secrets: (id: IntegrationId) => string;
  readonly openTokens: (id: CredentialId, sealed: string) => void;
  readonly openContent: (integrationId: IntegrationId, externalId: string, sealed: string) => void;
}

const tokens = new Secret(JSON.stringify({ access_token: 'a'.repeat(300), refresh_token: 'r'.repeat(300) }));
const small = new Secret(JSON.stringify(['s'.repeat(64)]));
/** A webhook of about 1 kB. */
const webhook = Buffer.from(JSON.stringify({ headers: { 'content-type': 'application/json' }, body: 'w'.repeat(950) }));

export function createSealing(): Sealing {
  const vault = createVault(parseKeyRing(generateKey()));
  return {
    request: id => vault.seal(small, sessionRequestBinding(id)),
    grant: id => vault.seal(tokens, sessionGrantBinding(id)),
    tokens: id => vault.seal(tokens, credentialTokensBinding(id)),
    content: (integrationId, externalId) => vault.sealBytes(webhook, deliveryContentBinding(integrationId, externalId)),
    secrets: id => vault.seal(small, subscriptionSecretsBinding(id)),
    openTokens: (id, sealed) => void vault.open(sealed, credentialTokensBinding(id)),
    openContent: (integrationId, externalId, sealed) =>
      void vault.openBytes(sealed, deliveryContentBinding(integrationId, externalId)),
  };
}

/** The same, noting each piece of work, so that it can be done again beside a statement that is replayed. */
export function recordSealing(sealing: Sealing, work: (() => unknown)[]): Sealing {
  const note = <Given extends readonly unknown[], Result>(act: (...given: Given) => Result) => {
    return (...given: Given): Result => {
      work.push(() => act(...given));
      return act(...given);
    };
  };
  return {
    request: note(sealing.request),
    grant: note(sealing.grant),
    tokens: note(sealing.tokens),
    content: note(sealing.content),
    secrets: note(sealing.secrets),
    openTokens: note(sealing.openTokens),
    openContent: note(sealing.openContent),
  };
}
