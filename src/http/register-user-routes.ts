import type { App, HttpContext } from './dependencies.js';
import { getAttempt } from './routes/api/authorize/attempt/get-attempt.js';
import { getAuthorize } from './routes/api/authorize/get-authorize.js';
import { postAuthorize } from './routes/api/authorize/post-authorize.js';
import { deleteCredential } from './routes/api/credentials/delete-credential.js';
import { getCredential } from './routes/api/credentials/get-credential.js';
import { listCredentials } from './routes/api/credentials/list-credentials.js';
import { postCredential } from './routes/api/credentials/post-credential.js';
import { postCredentialTest } from './routes/api/credentials/test/post-credential-test.js';
import { getCredentialToken } from './routes/api/credentials/token/get-credential-token.js';
import { listTokenReads } from './routes/api/credentials/token/list-token-reads.js';
import { getEntity } from './routes/api/entities/get-entity.js';
import { listEntities } from './routes/api/entities/list-entities.js';
import { deleteIntegration } from './routes/api/integrations/delete-integration.js';
import { listDeliveries } from './routes/api/integrations/deliveries/list-deliveries.js';
import { getDelivery } from './routes/api/integrations/deliveries/get-delivery.js';
import { replayDelivery } from './routes/api/integrations/deliveries/replay-delivery.js';
import { replayDeliveries } from './routes/api/integrations/deliveries/replay-deliveries.js';
import { discardDeliveries } from './routes/api/integrations/deliveries/discard-deliveries.js';
import { getIntegration } from './routes/api/integrations/get-integration.js';
import { listIntegrations } from './routes/api/integrations/list-integrations.js';
import { patchIntegration } from './routes/api/integrations/patch-integration.js';
import { postIntegration } from './routes/api/integrations/post-integration.js';

/** Every route that acts for a user; the scope they are registered in asks for the API key and the user. */
export function registerUserRoutes(app: App, context: HttpContext): void {
  const routes = [
    getAuthorize,
    postAuthorize,
    getAttempt,
    listCredentials,
    postCredential,
    getCredential,
    deleteCredential,
    getCredentialToken,
    listTokenReads,
    postCredentialTest,
    listEntities,
    getEntity,
    listIntegrations,
    postIntegration,
    getIntegration,
    patchIntegration,
    deleteIntegration,
    listDeliveries,
    getDelivery,
    replayDelivery,
    replayDeliveries,
    discardDeliveries,
  ];
  for (const register of routes) register(app, context);
}
