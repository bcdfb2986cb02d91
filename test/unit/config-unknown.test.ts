import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listUnknownSettings } from '../../src/config-unknown.js';

const root = join(__dirname, '../..');

test('a mistyped name is found; what others call their variables is not looked at', () => {
  const environment = {
    DATABASE_URL: 'x',
    PATH: '/bin',
    MY_RELINK_PORT: '1',
    RELINK_PORT: '3000',
    RELINK_CALBACK_DEADLINE: '5',
    RELINK_TEST_GRACE: '1',
    RELINK_PROVIDER_ATTIO_CLIENT_ID: 'x',
  };
  expect(listUnknownSettings(environment).unknown).toEqual(['RELINK_CALBACK_DEADLINE', 'RELINK_TEST_GRACE']);
  expect(listUnknownSettings(environment).known).toEqual(
    expect.arrayContaining(['RELINK_CALLBACK_DEADLINE', 'RELINK_TEST_GRACE_MS']),
  );
});

test('nothing is unknown where nothing is set, or is set but empty', () => {
  expect(listUnknownSettings({}).unknown).toEqual([]);
  expect(listUnknownSettings({ RELINK_NOTHING: '' }).unknown).toEqual([]);
});

test('every name that commands, tests and scripts read is known', () => {
  const files = ['src', 'test', 'scripts'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(file => /\.(ts|mjs|cjs)$/.test(file) && !/(walk|snippet)-/.test(file))
      .map(file => join(root, folder, file)),
  );
  const read = files.flatMap(file =>
    [...readFileSync(file, 'utf8').matchAll(/(?:process\.)?env(?:ironment)?(?:\.|\[')(RELINK_[A-Z_]+)/g)].map(
      match => match[1] ?? '',
    ),
  );
  expect(read).toContain('RELINK_RECORD_HISTORIES');
  expect(read).toContain('RELINK_TEST_TEMPORAL_ADDRESS');
  expect(listUnknownSettings(Object.fromEntries(read.map(name => [name, 'set']))).unknown).toEqual([]);
});
