import {
  ClientSecretBasic,
  ClientSecretPost,
  type AuthorizationServer,
  type Client,
  type ClientAuth,
} from 'oauth4webapi';
import type { Provider } from './configure-provider.js';

/** A provider in oauth4webapi's terms. */
export interface ServerDescription {
  readonly server: AuthorizationServer;
  readonly client: Client;
  readonly clientAuthentication: ClientAuth;
}

/**
 * @param tokenUrl The token endpoint to use, as `resolveEndpoint` gives it.
 */
export function describeServer(provider: Provider, tokenUrl: string): ServerDescription {
  const secret = provider.clientSecret.reveal();
  return {
    server: {
      // A provider that is not known to send `iss` may begin to: then only its own origin is believable.
      issuer: provider.issuer ?? new URL(provider.authorizationUrl).origin,
      token_endpoint: tokenUrl,
      authorization_response_iss_parameter_supported: provider.issuer !== null,
    },
    client: { client_id: provider.clientId },
    clientAuthentication:
      provider.clientAuthentication === 'client_secret_basic' ? ClientSecretBasic(secret) : ClientSecretPost(secret),
  };
}
