import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { loadWorkflowBundle } from '../support/load-workflow-bundle.js';
import { historiesDirectory } from '../support/record-history.js';

const histories = readdirSync(historiesDirectory).filter(file => file.endsWith('.json'));

/** Every branch of every workflow; a branch that is added needs its recorded history here. */
const branches = [
  'delete-emptied',
  'delete-overtaken',
  'delete-removed',
  'delete-revocation-retried',
  'delete-unreachable',
  'invalidate',
  'invalidate-overtaken',
  'reauth-cancelled',
  'reauth-connected',
  'reauth-credential-removed',
  'reauth-goes-forward',
  'reauth-identity-refused',
  'reauth-identity-retried',
  'reauth-restore-retried',
  'reauth-started-by-sweep',
  'reauth-tells-death',
  'reauth-timed-out',
  'reauth-wrong-account',
  'refresh-dead',
  'refresh-deleted-meanwhile',
  'refresh-found-mark',
  'refresh-gave-up',
  'refresh-gave-up-after-its-wait',
  'refresh-gone',
  'refresh-heals',
  'refresh-not-refreshable',
  'refresh-operator-fault',
  'refresh-operator-fault-again',
  'refresh-operator-fault-overtaken',
  'refresh-operator-fault-then-dead',
  'refresh-overtaken',
  'refresh-rate-limited',
  'refresh-refreshed',
  'refresh-refusal-overtaken',
  'refresh-refused',
  'refresh-told-by-another',
  'refresh-transient',
  'refresh-unknown-recovered',
  'refresh-unknown-refused',
  'refresh-unknown-settled',
  'refresh-unknown-settled-refused',
  'refresh-unreadable',
  'refresh-waits-told',
  'sweep',
  'test-credential-awaits-new-token-refused',
  'test-credential-awaits-pending',
  'test-credential-awaits-refreshed',
  'test-credential-awaits-refreshed-at-once',
  'test-credential-awaits-refused',
  'test-credential-gone',
  'test-credential-heal-overtaken',
  'test-credential-heals',
  'test-credential-needs-refresh',
  'test-credential-ok',
  'test-credential-reconnected-meanwhile',
  'test-credential-new-token-refused',
  'test-credential-refresh-pending',
  'test-credential-refresh-refused',
  'test-credential-refreshed',
  'test-credential-refreshed-at-once',
  'test-credential-refused',
  'test-credential-refused-again',
  'test-credential-stray-401',
  'test-credential-tells-lost-refusal',
  'test-credential-told-by-another',
  'test-credential-unreachable',
  'test-credential-unreadable',
  'webhooks-cancelled',
  'webhooks-continued',
  'webhooks-discard-woken',
  'webhooks-gone',
  'webhooks-handled',
  'webhooks-held',
  'webhooks-hold-woken',
  'webhooks-more',
  'webhooks-preparation-failed',
  'webhooks-prepared',
  'webhooks-retry-wait',
  'webhooks-stopped-gone',
  'webhooks-stopped-midway',
];

let bundle: Awaited<ReturnType<typeof loadWorkflowBundle>>;

beforeAll(async () => {
  bundle = await loadWorkflowBundle();
}, 60_000);

it('has a recorded history of every branch', () => {
  expect(histories.map(file => file.replace('.json', ''))).toEqual(expect.arrayContaining(branches));
});

it.each(histories)('%s names roles, not the machine it was recorded on', file => {
  const text = readFileSync(join(historiesDirectory, file), 'utf8');
  const identities = [...text.matchAll(/"identity": "([^"]*)"/g)].map(([, identity]) => identity);
  expect(identities.length).toBeGreaterThan(0);
  for (const identity of identities) expect(identity).toMatch(/^relink-(client|worker)$/);
});

it.each(histories)('replays %s', async file => {
  const recorded: unknown = JSON.parse(readFileSync(join(historiesDirectory, file), 'utf8'));
  await expect(Worker.runReplayHistory({ workflowBundle: bundle }, historyFromJSON(recorded))).resolves.toBeUndefined();
});

it('fails on a history that the workflows cannot have made', async () => {
  const text = readFileSync(join(historiesDirectory, 'reauth-connected.json'), 'utf8');
  const broken: unknown = JSON.parse(text.replaceAll('upsertEntity', 'removeEntity'));
  await expect(Worker.runReplayHistory({ workflowBundle: bundle }, historyFromJSON(broken))).rejects.toThrow(
    /[Nn]ondeterminism/,
  );
});
