import { z } from 'zod';
import type { SessionId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import { parseJson } from '../../parse-json.js';
import { sessionRequestBinding } from '../../vault/bindings.js';
import { Secret } from '../../vault/secret.js';
import type { Vault } from '../../vault/vault.js';

const storedSchema = z.object({ v: z.literal(1), state: z.string().min(1), verifier: z.string().min(1) });

/** What an attempt sends to the provider and must be able to send again: kept sealed in its row. */
export interface AuthorizationRequest {
  readonly state: string;
  /** RFC 7636 section 4.1. */
  readonly codeVerifier: Secret;
}

export function sealRequest(vault: Vault, id: SessionId, request: AuthorizationRequest): string {
  const stored: z.input<typeof storedSchema> = {
    v: 1,
    state: request.state,
    verifier: request.codeVerifier.reveal(),
  };
  return vault.seal(new Secret(JSON.stringify(stored)), sessionRequestBinding(id));
}

/** @throws RelinkError `secret_unreadable`. */
export function openRequest(vault: Vault, id: SessionId, sealed: string): AuthorizationRequest {
  const opened = vault.open(sealed, sessionRequestBinding(id));
  const stored = storedSchema.safeParse(parseJson(opened.reveal()));
  if (!stored.success) throw new RelinkError('secret_unreadable', id);
  return { state: stored.data.state, codeVerifier: new Secret(stored.data.verifier) };
}
