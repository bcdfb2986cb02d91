/** The workflow types of the bundle: the exported names are what Temporal knows them by. */
export { deleteCredential } from './delete-credential.js';
export { invalidate } from './invalidate.js';
export { reauth } from './reauth.js';
export { refresh } from './refresh.js';
export { sweep } from './sweep.js';
export { testCredential } from './test-credential.js';
export { webhooks } from './webhooks.js';
