import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { e2eStores } from '../support/e2e/e2e-stores.js';
import { startWalk, type Walk } from '../support/e2e/walk.js';

const page = 'docs/webhooks.md';
const root = join(__dirname, '../..');
let walk: Walk;
let directory: string;

describe.each(e2eStores('the walk of docs/webhooks.md'))('on %s', store => {
  beforeAll(async () => {
    const [, handler = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, page), 'utf8')) ?? [];
    // Inside the repository, as the page says, so that it finds `relink`.
    directory = mkdtempSync(join(__dirname, 'walk-'));
    const file = join(directory, 'my-integrations.cjs');
    writeFileSync(file, handler);
    const settings = { RELINK_INTEGRATIONS: file, RELINK_PROVIDER_SANDBOX_WEBHOOK_SECRETS: 'sandbox-secret' };
    walk = await startWalk({ page, test: 'test/e2e/webhooks-walk.test.ts', store, settings });
  }, 90_000);
  afterAll(async () => {
    await walk?.end();
    rmSync(directory, { recursive: true });
  }, 60_000);

  it('the example runs as it is written, holds while its grant is dead, and goes on in order', async () => {
    const { steps, script, type, open, lookUntil } = walk;
    expect(steps).toHaveLength(6);
    expect(script.output()).toMatch(/Integration types: .*contact-greeter/);
    const [setUp, begin, integrate, play, breakIt, reconnect] = steps;
    await type(setUp);
    await open(await type(begin));
    expect(await type(integrate)).toContain('"status":"ENABLED"');
    expect(await type(play)).toContain('{"accepted":1}');
    await script.untilPrinted(/Hello, Ada \(int_\w+\) account="?Acme/);
    await type(breakIt);
    // Both, and none of them given up on.
    await lookUntil(breakIt, /("held":true.*){2}/);
    expect(script.output()).not.toContain('Grace');
    await open(await type(reconnect));
    await script.untilPrinted(/Hello, Grace[\s\S]*Hello, Edsger/);
  }, 90_000);
});
