import { e2eStores } from '../support/e2e/e2e-stores.js';

const before = process.env['RELINK_TEST_STORE'];
afterEach(() => {
  if (before === undefined) delete process.env['RELINK_TEST_STORE'];
  else process.env['RELINK_TEST_STORE'] = before;
});

it('runs on the store that RELINK_TEST_STORE names', () => {
  process.env['RELINK_TEST_STORE'] = 'postgres';
  expect(e2eStores('these')).toEqual(['postgres']);
});

it('runs on PostgreSQL alone unless one is named, or both are asked for', () => {
  delete process.env['RELINK_TEST_STORE'];
  expect(e2eStores('these')).toEqual(['postgres']);
  expect(e2eStores('these', true)[0]).toBe('postgres');
});

it.each(['mysql', ''])('refuses RELINK_TEST_STORE=%s, by the names there are', name => {
  process.env['RELINK_TEST_STORE'] = name;
  expect(() => e2eStores('these')).toThrow(
    `RELINK_TEST_STORE must be one of postgres, mongo, documentdb, not "${name}"`,
  );
});
