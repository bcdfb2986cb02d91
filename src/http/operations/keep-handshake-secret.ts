import { changeSubscription } from '../../integrations/change-subscription.js';
import type { Provider } from '../../providers/configure-provider.js';
import type { SubscriptionWrite } from '../../store/port/store.js';
import { subscriptionSecretsBinding } from '../../vault/bindings.js';
import { equalsConstantTime } from '../../vault/hash.js';
import type { Secret } from '../../vault/secret.js';
import { encodeSecrets } from '../../vault/subscription-secrets-codec.js';
import type { HttpContext } from '../dependencies.js';
import type { Target } from '../intake/targets.js';

/**
 * Only where no secret is kept yet, and none is configured: whoever comes first. Later ones are answered and change
 * nothing, also while a hook is registering anew: a handshake proves nothing, so whoever knows the address and goes on
 * sending them would be among those who may sign. The provider sends it once, so a write that was lost to another writer is
 * made again.
 *
 * A row that a handshake makes is due at once: the hook that asked for it writes its own time, and if it dies before, or
 * its type gains it later, it is found by that.
 *
 * @returns False: it was for an integration that has another one.
 */
export async function keepHandshakeSecret(
  { store, vault, intake, handshakes, log, now }: HttpContext,
  { id: provider, webhookSecrets }: Provider,
  target: Target | null,
  secret: Secret,
): Promise<boolean> {
  if (target === null) return true;
  const { id } = target;
  const isAmong = (secrets: readonly Secret[]) =>
    secrets.some(each => equalsConstantTime(each.reveal(), secret.reveal()));
  if (isAmong(target.secrets)) return true;
  const ignore = () => {
    handshakes.tell(
      { integrationId: id },
      `A handshake of ${provider} brought ${id} a webhook secret that was not kept: another one is known, and only its hook can replace that`,
    );
    return false;
  };
  if (webhookSecrets.length > 0) return (target.secrets.length === 0 && isAmong(webhookSecrets)) || ignore();
  const sealedSecrets = vault.seal(encodeSecrets([secret]), subscriptionSecretsBinding(id));
  const kept = await changeSubscription(store, id, (known): SubscriptionWrite | null => {
    if ((known?.sealedSecrets ?? null) !== null) return null;
    if (known === null) return { sealedSecrets, expiresAt: null, dueAt: now(), failure: null };
    const { expiresAt, dueAt, failure } = known;
    return { sealedSecrets, expiresAt, dueAt, failure };
  });
  intake.targets.forget(id);
  if (kept !== null) {
    log.info({ integrationId: id }, `Kept the webhook secret that ${id} was given`);
    return true;
  }
  const known = await intake.targets.find(id);
  return known === null || isAmong(known.secrets) || ignore();
}
