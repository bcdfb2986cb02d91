import { e2eStores } from '../support/e2e/e2e-stores.js';
import { startWalk, type Walk } from '../support/e2e/walk.js';

let walk: Walk;

describe.each(e2eStores('the README’s walk'))('on %s', store => {
  beforeAll(async () => {
    walk = await startWalk({ page: 'README.md', test: 'test/e2e/readme.test.ts', store });
  }, 90_000);
  afterAll(() => walk?.end(), 60_000);

  it('the first connection of the README works as it is written', async () => {
    const { steps, type, open, lookUntil } = walk;
    expect(steps).toHaveLength(5);
    const [setUp, begin, integrate, breakIt, reconnect] = steps;
    await type(setUp);
    await open(await type(begin));
    expect(await type(integrate)).toContain('"status":"ENABLED"');
    await type(breakIt);
    await lookUntil(breakIt, /"status":"ERROR"/);
    await open(await type(reconnect));
    await lookUntil(reconnect, /"status":"ENABLED"/);
  }, 90_000);
});
