import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { causeCodes, causeText } from '../../src/domain/cause.js';
import { credentialKinds } from '../../src/domain/credential-kind.js';
import { deliveryReasons, deliveryStates, retryDelayMs } from '../../src/domain/delivery.js';
import type { ProviderId } from '../../src/domain/ids.js';
import { productionEnvironment, productionNodeFlags } from '../../src/embedded/process/production-flags.js';
import { defaultWebhookPolicy } from '../../src/integrations/definition.js';
import { loadIntegrations } from '../../src/integrations/load-integrations.js';
import { runHandler } from '../../src/handlers/run-handler.js';
import { tokenDialects } from '../../src/providers/classification/dialects.js';
import { catalogue } from '../../src/providers/catalogue/index.js';
import { webhookCatalogue } from '../../src/providers/webhooks/catalogue.js';
import type { SignatureScheme, WebhookDefinition } from '../../src/providers/webhooks/definition.js';
import {
  answerMeanings,
  generalRules,
  outageRules,
  type ClassificationRule,
} from '../../src/providers/classification/rules.js';
import { parseKeyRing } from '../../src/vault/parse-key-ring.js';
import { Secret } from '../../src/vault/secret.js';

const root = join(__dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs')).map(name => `docs/${name}`),
];

describe('the documents', () => {
  it('list every setting of src/config.ts, and no other', () => {
    const inCode = new Set(
      [...read('src/config.ts').matchAll(/^ {2}((?:RELINK|DATABASE)_[A-Z_]+):/gm)].map(match => match[1]),
    );
    const table = read('README.md')
      .split('\n')
      .filter(line => line.startsWith('| `'))
      .flatMap(line =>
        [...(line.split('|')[1] ?? '').matchAll(/`((?:RELINK|DATABASE)_[A-Z_]+)`/g)].map(match => match[1]),
      );
    expect(inCode.size).toBeGreaterThan(15);
    expect(new Set(table)).toEqual(inCode);
  });

  it('list every setting of src/config-dev.ts that is only for development, and no other', () => {
    const namesIn = (file: string) =>
      [...read(file).matchAll(/^ {2}((?:RELINK|DATABASE)_[A-Z_]+):/gm)].map(match => match[1]);
    const forProduction = new Set(namesIn('src/config.ts'));
    const [paragraph = ''] = /^Only for `npm start`[\s\S]*?\n\n/m.exec(read('README.md')) ?? [];
    const named = [...paragraph.matchAll(/`(RELINK_[A-Z_]+)`/g)].map(match => match[1]);
    expect(named.length).toBeGreaterThan(0);
    expect(new Set(named)).toEqual(new Set(namesIn('src/config-dev.ts').filter(name => !forProduction.has(name))));
  });

  it('list every setting of a provider, and no other', () => {
    const [, schema = ''] =
      /providerSettingsSchema = z\.object\({\n([\s\S]*?)\n}\);/.exec(read('src/config-providers.ts')) ?? [];
    const inCode = [...schema.matchAll(/^ {2}([A-Z_]+):/gm)].map(match => match[1]);
    const table = read('docs/providers.md')
      .split('\n')
      .filter(line => line.startsWith('| `RELINK_PROVIDER_'))
      .flatMap(line => [...line.matchAll(/`(?:RELINK_PROVIDER_<NAME>|…)_([A-Z_]+)`/g)].map(match => match[1]));
    expect(inCode.length).toBeGreaterThan(5);
    expect(new Set(table)).toEqual(new Set(inCode));
  });

  it('list every cause code with what the user is told, in the order of the code, and no other', () => {
    const [, section = ''] = /## Cause codes\n([\s\S]*?)\n## /.exec(read('docs/integrations.md')) ?? [];
    const rows = [...section.matchAll(/^\| `([a-z_]+)` *\| (.+?) *\| (.+?) *\|$/gm)];
    expect(rows.map(([, code, , told]) => [code, told])).toEqual(
      causeCodes.map(code => [code, causeText('Attio', 'oauth2', code, 401)]),
    );
  });

  it('list every rule by which a token endpoint’s answer is classified, in its order, and no other', () => {
    const [, section = ''] = /## What an answer means\n([\s\S]*?)\n## /.exec(read('docs/credentials.md')) ?? [];
    const rows = section
      .split('\n')
      .filter(line => line.startsWith('|') && !line.includes('---') && !/Meaning +\|$|What is done/.test(line))
      .map(line =>
        line
          .split('|')
          .slice(1, -1)
          .map(cell => cell.trim()),
      );
    const named = ({ what, means }: ClassificationRule) => [what, `\`${means}\``];
    const inCode = [
      ...outageRules.map(named),
      ...Object.entries(tokenDialects).flatMap(([id, { rules }]) => rules.map(rule => [id, ...named(rule)])),
      ...generalRules.map(named),
    ].map(cells => cells.join(' | '));
    const meanings = rows.slice(-answerMeanings.length).map(([cell]) => cell);
    expect(rows.slice(0, -answerMeanings.length).map(cells => cells.join(' | '))).toEqual([...new Set(inCode)]);
    expect(meanings).toEqual(answerMeanings.map(meaning => `\`${meaning}\``));
  });

  it('name every code that a rule of classification looks for, in that rule’s own row', () => {
    const rules = [...outageRules, ...Object.values(tokenDialects).flatMap(dialect => dialect.rules), ...generalRules];
    for (const { what, when } of rules) {
      const codes = when.error === 'any' ? [] : (when.error ?? []);
      for (const code of codes) expect(what.split('`')).toContain(code);
    }
  });

  it('list every kind of credential, in the order of the code, and no other', () => {
    const [, section = ''] = /## Kinds\n([\s\S]*?)\n## /.exec(read('docs/credentials-api.md')) ?? [];
    expect([...section.matchAll(/^\| `([a-z_0-9]+)`/gm)].map(([, kind]) => kind)).toEqual([...credentialKinds]);
  });

  it('show how a key is made that the vault accepts, under a new name each time', () => {
    const [, expression = ''] = /^node -p "(.*randomBytes.*)"$/m.exec(read('README.md')) ?? [];
    const make = () => execFileSync(process.execPath, ['-p', expression], { encoding: 'utf8' }).trim();
    const ring = parseKeyRing(new Secret(`${make()},${make()}`));
    expect(ring.newestKeyName).toMatch(/^k[0-9a-z]+$/);
    expect(ring.keys.size).toBe(2);
  });

  it('say of each snippet that is run which test runs it', () => {
    const markers = pages.flatMap(page =>
      [...read(page).matchAll(/<!-- run: (.+) -->/g)].flatMap(([, tests = '']) =>
        tests.split(', ').map(test => ({ page, test })),
      ),
    );
    expect(markers.length).toBeGreaterThan(1);
    for (const { page, test } of markers)
      expect({ page, text: read(test) }).toEqual({ page, text: expect.stringContaining(page) as string });
  });

  it.each(pages)('%s links only to what exists', page => {
    const links = [...read(page).matchAll(/\]\(((?!https?:)[^)#]+)\)/g)].map(match => match[1] ?? '');
    for (const link of links) expect(() => read(join(page, '..', link))).not.toThrow();
  });

  it.each(pages)('%s names only files and commands that exist', page => {
    const text = read(page);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const [, script] of text.matchAll(/npm run ([a-z0-9:-]+)/g)) expect(Object.keys(scripts)).toContain(script);
    for (const [, file] of text.matchAll(/`((?:src|test|prisma|scripts)\/[\w./-]*[\w/])`/g)) {
      expect(() => readdirOrFile(join(root, file ?? ''))).not.toThrow();
    }
  });

  it.each(['server', 'worker'])('run the %s as the benchmark does', role => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const environment = Object.entries(productionEnvironment).map(([name, value]) => `${name}=\${${name}:-${value}}`);
    const command = [...environment, 'exec', 'node', ...productionNodeFlags, `dist/${role}.js`].join(' ');
    expect(scripts[role]).toBe(command);
  });

  it('show a module of integration types that loads', () => {
    const [, snippet] =
      /<!-- run: test\/unit\/documents.test.ts -->\s*```js\n([\s\S]*?)```/.exec(read('docs/integrations.md')) ?? [];
    const directory = mkdtempSync(join(root, 'node_modules', '.documents-'));
    const file = join(directory, 'integrations.js');
    try {
      writeFileSync(file, snippet ?? '');
      const definition = loadIntegrations(file).get('deal-alerts');
      expect(definition.config.safeParse({}).success).toBe(false);
      expect(definition.config.safeParse({ channel: 'sales' }).success).toBe(true);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('list every reason of a delivery, and no other', () => {
    const [, section = ''] = /\| Reason +\|[^\n]*\n([\s\S]*?)\n\n/.exec(read('docs/webhooks.md')) ?? [];
    expect([...section.matchAll(/^\| `([a-z_]+)`/gm)].map(([, reason]) => reason)).toEqual([...deliveryReasons]);
  });

  it('say of every provider how its webhooks are signed, numbered and split, as the data does', () => {
    const [, table = ''] =
      /\| Provider +\| Connects[^\n]*\n\|[^\n]*\n([\s\S]*?)\n\n/.exec(read('docs/webhooks.md')) ?? [];
    const rows = table.split('\n').map(row =>
      row
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    );
    const described = [...webhookCatalogue].map(([id, definition]) => [
      `\`${id}\``,
      catalogue.has(id as ProviderId) ? 'yes' : 'not yet',
      ...describeWebhooks(definition),
    ]);
    expect(rows).toEqual(described);
  });

  it('show a handler that loads and does its work as docs/webhooks.md says', async () => {
    const [, snippet] =
      /<!-- run: test\/unit\/documents.test.ts.*-->\s*```js\n([\s\S]*?)```/.exec(read('docs/webhooks.md')) ?? [];
    const directory = mkdtempSync(join(root, 'test/unit/snippet-'));
    const file = join(directory, 'integrations.js');
    try {
      writeFileSync(file, snippet ?? '');
      const definition = loadIntegrations(file).get('contact-greeter');
      expect(definition.config.safeParse({}).success).toBe(false);
      const asked: string[] = [];
      const logged: unknown[] = [];
      const handle = (status: number, body = '{"contact":"Ada"}') =>
        runHandler(
          definition,
          {
            kind: 'webhook',
            delivery: {
              id: 'dlv_1',
              provider: 'sandbox',
              externalId: '1',
              receivedAt: '2026-01-01T00:00:00.000Z',
              headers: {},
              body: Buffer.from(body),
            },
          },
          {
            integrationId: 'int_1',
            userId: 'me',
            entities: [],
            config: { greeting: 'Hello' },
            webhookUrl: 'https://connect.example.com/api/webhooks/sandbox/int_1',
            idempotencyKey: 'dlv_1',
            attempt: 1,
            log: { info: (...line) => void logged.push(line), warn: () => undefined },
            signal: new AbortController().signal,
            request: ({ url }) => {
              asked.push(url);
              return Promise.resolve({ status, headers: {}, text: '{"account_name":"Acme"}' });
            },
          },
        );
      expect(await handle(200)).toMatchObject({ kind: 'done' });
      expect(await handle(500)).toMatchObject({ kind: 'failed', reason: 'handler_failed', retryable: true });
      expect(await handle(200, '{}')).toMatchObject({ kind: 'failed', reason: 'handler_refused', retryable: false });
      expect(asked).toEqual(['/identity', '/identity']);
      expect(logged).toEqual([['Hello, Ada', { account: 'Acme' }]]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('list every state of a delivery, and no other', () => {
    const [, section = ''] = /\| `state` +\|[^\n]*\n([\s\S]*?)\n\n/.exec(read('docs/webhooks.md')) ?? [];
    expect([...section.matchAll(/^\| `([a-z_]+)`/gm)].map(([, state]) => state)).toEqual([...deliveryStates]);
  });

  it('list the settings of a type that handles webhooks with their defaults, and no other', () => {
    const [, section = ''] = /\| `webhooks` +\|[^\n]*\n([\s\S]*?)\n\n/.exec(read('docs/webhooks.md')) ?? [];
    const rows = [...section.matchAll(/^\| `([A-Za-z]+)` *\| `([^`]+)`/gm)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll(/['_]/g, ''),
    ]);
    expect(rows).toEqual(Object.entries(defaultWebhookPolicy).map(([name, value]) => [name, String(value)]));
  });

  it.each(['docs/webhooks.md', 'src/integrations/definition.ts'])(
    '%s says over how long the attempts are spread, which is longer than a night',
    file => {
      const waits = Array.from({ length: defaultWebhookPolicy.maxAttempts - 1 }, (_, n) => retryDelayMs(n + 1, 0.5));
      const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000;
      expect(hours).toBeGreaterThan(9);
      const said = [...read(file).matchAll(/spread over about (\S+) hours/g)].map(([, count]) => count);
      expect(said).toEqual([String(Math.round(hours))]);
    },
  );
});

/** The cells of docs/webhooks.md: signature, delivery id, account, batch. */
function describeWebhooks({ signature, deliveryId, accountId, batch }: WebhookDefinition): string[] {
  const at = (place: string | { header: string } | { bodyPath: string } | null) => {
    if (place === null) return 'none';
    if (typeof place === 'string') return `body \`${place}\``;
    return 'header' in place ? `\`${place.header}\`` : `body \`${place.bodyPath}\``;
  };
  const within = deliveryId !== null && 'within' in deliveryId ? ` within \`${deliveryId.within}\`` : '';
  const split = () => {
    if (batch === undefined) return 'no';
    const list = batch.events === '' ? 'the body' : `\`${batch.events}\``;
    return batch.id === null ? list : `${list}, each with \`${batch.id}\``;
  };
  return [describeSignature(signature), `${at(deliveryId)}${within}`, at(accountId), split()];
}

function describeSignature(scheme: SignatureScheme): string {
  switch (scheme.kind) {
    case 'hmac': {
      const { header, algorithm, encoding, prefix, listKey, timestamp } = scheme;
      const before = prefix ?? (listKey === undefined ? '' : `${listKey}=`);
      const value = before === '' ? '' : `, after \`${before}\``;
      return `HMAC-${algorithm.toUpperCase()}, ${encoding}${timestamp === undefined ? '' : ', timed'}: \`${header}\`${value}`;
    }
    case 'standard-webhooks':
      return 'Standard Webhooks: `webhook-signature`';
    case 'jwt':
      return `JWT, HS256: \`${scheme.header}\``;
    case 'token': {
      const { place } = scheme;
      if ('basic' in place) return 'token: password of HTTP Basic';
      if ('query' in place) return `token: \`?${place.query}=\` of the address`;
      if ('header' in place) return `token: \`${place.header}\``;
      return `token: body ${place.everyOf === undefined ? '' : `each of \`${place.everyOf}\`, `}\`${place.bodyPath}\``;
    }
    case 'unsigned':
      return 'none';
  }
}

function readdirOrFile(path: string): void {
  try {
    readdirSync(path);
  } catch {
    readFileSync(path);
  }
}
