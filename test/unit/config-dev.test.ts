import { loadDevConfig } from '../../src/config-dev.js';
import { ConfigError } from '../../src/errors.js';

test('without settings data lies in .relink and everything else is left to its default', () => {
  const defaults = { dataDirectory: '.relink', relinkPort: undefined, temporalCli: undefined, logLevel: undefined };
  expect(loadDevConfig({})).toEqual(defaults);
  const empty = { RELINK_DATA_DIRECTORY: '', RELINK_PORT: '', RELINK_TEMPORAL_CLI: '', RELINK_LOG_LEVEL: '' };
  expect(loadDevConfig(empty)).toEqual(defaults);
});

test('settings are read', () => {
  const environment = {
    RELINK_DATA_DIRECTORY: '/data/relink',
    RELINK_PORT: '4000',
    RELINK_TEMPORAL_CLI: '/opt/temporal',
    RELINK_LOG_LEVEL: 'debug',
  };
  expect(loadDevConfig(environment)).toEqual({
    dataDirectory: '/data/relink',
    relinkPort: 4000,
    temporalCli: '/opt/temporal',
    logLevel: 'debug',
  });
});

test.each([
  ['RELINK_PORT', 'http'],
  ['RELINK_PORT', '3000.5'],
  ['RELINK_PORT', '65536'],
  ['RELINK_PORT', '-1'],
  ['RELINK_LOG_LEVEL', 'loud'],
])('%s=%s is refused by name', (name, value) => {
  expect(() => loadDevConfig({ [name]: value })).toThrow(ConfigError);
  expect(() => loadDevConfig({ [name]: value })).toThrow(new RegExp(`^ {2}- ${name} \\S`, 'm'));
});
