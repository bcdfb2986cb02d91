import type { Client } from 'pg';

const id = (prefix: string, value: string) => `'${prefix}_' || lpad((${value})::text, 32, '0')`;
/** A number of a row of generate_series, cut to whole numbers, as `everyN`-th. */
const aroundNow = `now() + CASE WHEN n % 500 = 0 THEN -1 ELSE 1 END * n * interval '1 minute'`;

/**
 * Integrations number `from` to `to`, two on each account; every twentieth is held, every thousandth is being created.
 * References are not looked up one by one: all of them are made here.
 */
export async function seedIntegrations(client: Client, from: number, to: number): Promise<void> {
  await client.query(`
    SET session_replication_role = replica;
    INSERT INTO credentials (id, user_id, provider, external_id, sealed_tokens, refreshable, auth_is_valid, generation,
                             epoch, grant_sequence, created_at, updated_at, refresh_due_at, grant_warn_at)
    SELECT ${id('cred', 'n')}, 'user-' || n % 500, 'attio', 'x' || n, 'sealed', true, true, 1, 1, n, now(), now(),
           ${aroundNow}, CASE WHEN n % 100 = 0 THEN ${aroundNow} END
      FROM generate_series(${Math.floor(from / 2) + 1}, ${Math.floor(to / 2)} + 1) n ON CONFLICT DO NOTHING;
    INSERT INTO entities (id, user_id, provider, external_id, credential_id, grant_sequence, created_at, updated_at)
    SELECT ${id('ent', 'n')}, 'user-' || n % 500, 'attio', 'x' || n, ${id('cred', 'n')}, n, now(), now()
      FROM generate_series(${Math.floor(from / 2) + 1}, ${Math.floor(to / 2)} + 1) n ON CONFLICT DO NOTHING;
    INSERT INTO integrations (id, user_id, type, entity_key, config, lifecycle, intent, causes, epochs, status,
                              status_since, version, created_at, updated_at)
    SELECT ${id('int', 'n')}, 'user-' || n % 500, 'type' || n, ${id('ent', '1 + n / 2')}, '{}',
           CASE WHEN n % 1000 = 0 THEN 'creating' ELSE 'ready' END, 'on',
           CASE WHEN n % 20 = 5 THEN jsonb_build_array(jsonb_build_object('credentialId', ${id('cred', '1 + n / 2')},
             'epoch', 2, 'provider', 'attio', 'code', 'credential_refused', 'httpStatus', 401, 'text', '', 'since', ''))
           ELSE '[]' END, '{}',
           CASE WHEN n % 1000 = 0 THEN 'IN_CREATION' WHEN n % 20 = 5 THEN 'ERROR' ELSE 'ENABLED' END,
           now(), 1, now(), now() - n * interval '1 second'
      FROM generate_series(${from}, ${to}) n;
    INSERT INTO integration_entities SELECT ${id('ent', '1 + n / 2')}, ${id('int', 'n')}
      FROM generate_series(${from}, ${to}) n;
    SET session_replication_role = origin;`);
}

/** What else belongs to so many integrations: subscriptions, sessions, deleted credentials, records of tokens. */
export async function seedBesides(client: Client, many: number): Promise<void> {
  await client.query(`
    INSERT INTO subscriptions (integration_id, version) SELECT id, 1 FROM integrations;
    INSERT INTO authorization_sessions (id, user_id, provider, state, state_hash, redirect_uri, own_redirect,
                                        sealed_request, error_code, created_at, expires_at, updated_at)
    SELECT ${id('ses', 'n')}, 'user-' || n % 500, 'attio', CASE WHEN n % 2000 = 0 THEN 'exchanging' ELSE 'failed' END,
           'hash' || n, 'https://example.com', false, 'sealed', CASE WHEN n % 2000 = 0 THEN NULL ELSE 'access_denied' END,
           now(), now(), now() - n * interval '1 second'
      FROM generate_series(1, ${many}) n;
    UPDATE credentials SET auth_is_valid = false, verdict_code = 'credential_deleted', verdict_since = now(),
           sealed_tokens = CASE WHEN grant_sequence % 2000 = 7 THEN sealed_tokens ELSE '' END
     WHERE grant_sequence % 100 = 7;
    INSERT INTO token_reads (id, credential_id, user_id, api_key, generation, request_id, read_at)
    SELECT ${id('trd', 'n')}, ${id('cred', `4242 + n % ${many / 10}`)}, 'user', 'key', 1, 'request', now()
      FROM generate_series(1, ${many}) n;`);
}

/**
 * Deliveries of the integrations number `first` to `last`, `each` of them, all but the last few done: five of each are
 * queued, and three before them failed. `from` is beyond the numbers of those that are there.
 */
export async function seedDeliveries(
  client: Client,
  [first, last]: readonly [number, number],
  each: number,
  from: number,
): Promise<void> {
  await client.query(`
    INSERT INTO deliveries (id, integration_id, provider, external_id, sealed_content, state, reason, received_at, finished_at)
    SELECT 'dlv_' || lpad((${from} + row_number() OVER ())::text, 32, '0'), 'int_' || lpad(i::text, 32, '0'), 'attio',
           'evt' || ${from} + d, repeat('x', 300),
           CASE WHEN d > ${each - 5} THEN 'queued' WHEN d > ${each - 8} THEN 'failed' ELSE 'succeeded' END,
           CASE WHEN d > ${each - 8} AND d <= ${each - 5} THEN 'handler_failed' END,
           now() - interval '1 day',
           CASE WHEN d <= ${each - 5} THEN now() - interval '1 hour' - d * interval '1 second' END
      FROM generate_series(1, ${each}) d, generate_series(${first}, ${last}) i`);
}

/** Of a thousand integrations: a consumer each, a tenth of them old; and of ten thousand a subscription, some of them due. */
export async function seedConsumers(client: Client): Promise<void> {
  await client.query(`
    INSERT INTO delivery_consumers
    SELECT 'int_' || lpad(i::text, 32, '0'), 'run/1', now() - (i / 900) * interval '2 days' FROM generate_series(0, 999) i;
    INSERT INTO subscriptions (integration_id, due_at, version)
    SELECT 'int_' || lpad(i::text, 32, '0'), now() - interval '1 day' + i * interval '3 minutes', 1
      FROM generate_series(0, 9999) i`);
}
