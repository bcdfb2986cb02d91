import { openRequest } from '../../../src/http/operations/sealed-request.js';
import { newId } from '../../../src/ids.js';
import { sessionRequestBinding } from '../../../src/vault/bindings.js';
import { generateKey } from '../../../src/vault/generate-key.js';
import { parseKeyRing } from '../../../src/vault/parse-key-ring.js';
import { Secret } from '../../../src/vault/secret.js';
import { createVault } from '../../../src/vault/vault.js';

const vault = createVault(parseKeyRing(generateKey()));

test.each(['verifier-that-is-no-json', '{"v":1,"state":"s"}'])('%s is refused as unreadable, unquoted', text => {
  const id = newId('session');
  const sealed = vault.seal(new Secret(text), sessionRequestBinding(id));
  let thrown: unknown;
  try {
    openRequest(vault, id, sealed);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'secret_unreadable', cause: undefined });
  expect(String(thrown)).not.toContain(text);
});
