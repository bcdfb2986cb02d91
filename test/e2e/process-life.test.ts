import { join } from 'node:path';
import { type RoleProcess, spawnRole } from '../../src/embedded/process/spawn-role.js';
import { compiled } from '../support/e2e/check-build.js';
import { breakGrant, connectAndIntegrate, expectWorking, untilRestored } from '../support/e2e/scenes.js';
import { until } from '../support/e2e/until.js';
import { type E2eServer, type E2eStack, startE2eStack } from '../support/e2e/start-e2e-stack.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';

let stack: E2eStack;

describe.each(e2eStores('the life of a process'))('on %s', store => {
  beforeAll(async () => {
    stack = await startE2eStack({ store, temporalAway: true, settings: { RELINK_CALLBACK_DEADLINE: '4' } });
  }, 300_000);
  afterAll(() => stack?.stop(), 60_000);
  afterEach(() => stack.sandbox.clearFaults());

  let runs = 0;

  /** Runs a role with exactly this environment until it ends. */
  async function runToItsEnd(name: 'server' | 'worker', environment: Record<string, string>) {
    runs += 1;
    const logFile = join(stack.directory, `refused-${runs}.log`);
    const role = await spawnRole({ name, script: join(compiled, `${name}.js`), environment, logFile });
    const timer = setTimeout(() => void role.kill(), 20_000);
    const { code, signal } = await role.exited;
    clearTimeout(timer);
    return { code, signal, log: await role.readLog() };
  }

  const linesOf = (log: string) => log.trimEnd().split('\n');
  const warningsOf = (log: string) => linesOf(log).filter(line => line.includes('"level":"warn"'));

  /** SIGTERM; how it ended and after how long. */
  async function terminate(role: RoleProcess) {
    const startedAt = Date.now();
    const exit = await role.stop();
    return { ...exit, seconds: (Date.now() - startedAt) / 1000 };
  }

  describe('starting', () => {
    it.each(['server', 'worker'] as const)('a %s without settings names every one that is missing', async name => {
      const { code, log } = await runToItsEnd(name, { NODE_ENV: 'production' });
      expect(code).toBe(1);
      const variables = ['DATABASE_URL', 'RELINK_KEYS', 'RELINK_API_KEYS', 'RELINK_PUBLIC_URL'];
      expect(linesOf(log)).toHaveLength(variables.length);
      for (const variable of variables) {
        expect(linesOf(log)).toContainEqual(expect.stringMatching(`^${name} cannot start: ${variable} is required`));
      }
    });

    it.each(['DATABASE_URL', 'RELINK_KEYS', 'RELINK_API_KEYS', 'RELINK_PUBLIC_URL'])(
      'is refused in production without %s, and only that is named',
      async variable => {
        const others = Object.fromEntries(Object.entries(stack.settings).filter(([name]) => name !== variable));
        const { code, log } = await runToItsEnd('server', others);
        expect(code).toBe(1);
        const named = log.match(/[A-Z]+_[A-Z_]+/g);
        expect(new Set(named)).toEqual(new Set([variable]));
      },
    );

    it('is refused with a wrong key or database, and the value is not shown', async () => {
      const wrongKey = await runToItsEnd('server', { ...stack.settings, RELINK_KEYS: 'main:bm90IGEga2V5' });
      expect(wrongKey.code).toBe(1);
      expect(wrongKey.log).toMatch(/^server cannot start: RELINK_KEYS, key 1 of 1, .*\n$/);
      expect(wrongKey.log).not.toMatch('bm90IGEga2V5');
      const away = `${store === 'postgres' ? 'postgresql' : 'mongodb'}://relink:hidden-password@127.0.0.1:9/relink`;
      for (const name of ['server', 'worker'] as const) {
        const noDatabase = await runToItsEnd(name, { ...stack.settings, DATABASE_URL: away });
        expect(noDatabase.code).toBe(1);
        expect(noDatabase.log).toBe(
          `${name} cannot start: DATABASE_URL: nothing listens at 127.0.0.1:9 (database "relink")\n`,
        );
        expect(noDatabase.log).not.toMatch('hidden-password');
      }
    });

    it('a worker says plainly that Temporal cannot be reached', async () => {
      const { code, log } = await runToItsEnd('worker', { ...stack.settings });
      expect(code).toBe(1);
      expect(linesOf(log).at(-1)).toMatch(
        `worker cannot start: TEMPORAL_ADDRESS: Temporal does not answer at ${stack.temporalAddress}`,
      );
    }, 40_000);

    it('a server starts without Temporal and accepts, and a later worker connects', async () => {
      const server = await stack.startServer();
      const health = (await (await fetch(`${server.url}/health`)).json()) as Record<string, unknown>;
      expect(health).toMatchObject({ status: 'degraded', database: 'ok', temporal: 'unreachable' });
      const warnings = await until('the warning is written', async () => {
        const written = warningsOf(await server.process.readLog());
        return written.length > 0 && written;
      });
      expect(warnings).toEqual([
        expect.stringContaining(`TEMPORAL_ADDRESS: Temporal does not answer at ${stack.temporalAddress}`),
      ]);
      const user = stack.user();
      const consent = await user.consent('acme');
      expect((await consent.deliver()).status).toBe(202);
      await stack.temporal.start();
      await stack.startWorker();
      await untilRestored(user, consent.attempt);
      expect((await consent.deliver()).status).toBe(200);
      await server.process.kill();
    }, 60_000);
  });

  describe('settings that a process can start with, or could', () => {
    it('are warned of where a name is unknown or no provider is set', async () => {
      const others = Object.entries(stack.settings).filter(([name]) => !name.startsWith('RELINK_PROVIDER_'));
      // A port that is taken: it ends by itself.
      const taken = { RELINK_CALBACK_DEADLINE: '5', RELINK_PORT: new URL(stack.databaseUrl).port };
      const { log } = await runToItsEnd('server', { ...Object.fromEntries(others), ...taken });
      expect(warningsOf(log)).toEqual([
        expect.stringMatching(/no such settings: RELINK_CALBACK_DEADLINE\..*RELINK_CALLBACK_DEADLINE/),
        expect.stringMatching(/RELINK_PROVIDER_<NAME>_CLIENT_ID and RELINK_PROVIDER_<NAME>_CLIENT_SECRET/),
      ]);
      expect(linesOf(log).at(-1)).toMatch(/^server cannot start: RELINK_PORT: port \d+ of 127.0.0.1 is taken/);
    });

    it.each(['server', 'worker'] as const)(
      'keep a %s from starting when its keys do not open the database',
      async name => {
        const [, key = ''] = stack.secrets.keyRing.split(':');
        const other = Buffer.alloc(32, 7).toString('base64');
        const keyName = stack.secrets.keyRing.split(':')[0];
        for (const [ring, told] of [
          [`other:${other}`, `RELINK_KEYS lacks the key "${keyName}" `],
          [`${keyName}:${other}`, `RELINK_KEYS: its key "${keyName}" is not the key of this name`],
        ] as const) {
          const { code, log } = await runToItsEnd(name, { ...stack.settings, RELINK_KEYS: ring });
          expect(code).toBe(1);
          expect(log).toMatch(new RegExp(`^${name} cannot start: ${told}.*\n$`));
          expect(log).not.toContain(key);
          expect(log).not.toContain(other);
        }
      },
    );
  });

  describe('SIGTERM while work is in flight', () => {
    let server: E2eServer;
    let worker: RoleProcess;

    beforeAll(async () => {
      await stack.temporal.start();
      server = await stack.startServer();
      worker = await stack.startWorker();
    }, 60_000);

    it('a server answers the callback whose exchange is running, then ends with exit code 0', async () => {
      const user = stack.user();
      const consent = await user.consent('acme');
      await stack.sandbox.fault({ endpoint: 'token', delayMs: 1_500, count: 1 });
      const delivered = await stack.sandbox.untilAsked('token', () => ({ answer: consent.deliver() }));
      const exit = await terminate(server.process);
      expect(exit).toMatchObject({ code: 0, signal: null });
      expect(exit.seconds).toBeLessThan(8);
      expect((await delivered.answer).status).toBe(200);
      server = await stack.startServer();
      await untilRestored(user, consent.attempt);
    });

    it('a server seals the grant of a caller who has left, then ends with exit code 0', async () => {
      const user = stack.user();
      const consent = await user.consent('acme');
      await stack.sandbox.fault({ endpoint: 'token', delayMs: 1_500, count: 1 });
      const caller = new AbortController();
      const cookie = consent.cookies.headerFor(new URL(consent.finalUrl)) ?? '';
      const delivered = await stack.sandbox.untilAsked('token', () => ({
        end: fetch(consent.finalUrl, { headers: { cookie }, signal: caller.signal }).catch(() => null),
      }));
      caller.abort();
      await delivered.end;
      expect(await terminate(server.process)).toMatchObject({ code: 0 });
      expect(['exchanged', 'connected', 'restored']).toContain(await stack.database.sessionState(consent.attempt));
      server = await stack.startServer();
      await untilRestored(user, consent.attempt);
    });

    it('a server does not wait for connections that are idle or half open', async () => {
      const user = stack.user();
      await user.get('/api/credentials');
      const half = fetch(`${server.url}/api/integrations`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${user.apiKey}`,
          'relink-user': user.userId,
          'content-type': 'application/json',
        },
        // A body that never ends.
        body: new ReadableStream({ start: controller => controller.enqueue(new TextEncoder().encode('{"type":')) }),
        duplex: 'half',
      }).catch(() => null);
      await user.get('/api/credentials');
      const exit = await terminate(server.process);
      expect(exit).toMatchObject({ code: 0, signal: null });
      expect(exit.seconds).toBeLessThan(8);
      await half;
      server = await stack.startServer();
    });

    it('a worker lets go of a hanging provider and a held row within seconds; the next one goes on', async () => {
      const user = stack.user();
      const old = await connectAndIntegrate(user, 'acme');
      await breakGrant(stack, user, 'acme', old);
      const waiting = await user.consent('acme', { entityId: old.entityId });
      const other = stack.user();
      const asking = await other.consent('acme');

      const lock = await stack.database.hold('integrations', old.integrationId);
      expect((await waiting.deliver()).status).toBe(200);
      await stack.database.untilBlocked('integrations');
      await stack.sandbox.fault({ endpoint: 'identity', kind: 'hang', count: 1 });
      const delivered = await stack.sandbox.untilAsked('identity', () => ({ answer: asking.deliver() }));

      const exit = await terminate(worker);
      expect(exit).toMatchObject({ code: 0, signal: null });
      // A token request would be given 25 s, see plan-shutdown.ts; MongoDB's driver gives a silent server 20 s.
      expect(exit.seconds).toBeLessThan(28);
      await lock.release();
      expect((await delivered.answer).status).toBe(202);
      worker = await stack.startWorker();
      await untilRestored(user, waiting.attempt);
      await expectWorking(user, old);
      await untilRestored(other, asking.attempt);
    }, 120_000);
  });
});
