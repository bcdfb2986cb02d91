import { findDatabaseUrlProblem } from '../../src/config-database-url.js';

test.each([
  'postgresql://user:p%40ss@127.0.0.1:5432/database',
  'postgresql:///database?host=/var/run/postgresql',
  'mongodb://user:p%40ss@one:27017,two:27017/database?replicaSet=rs0',
  'mongodb+srv://user:pass@cluster.example.com/database?appName=a@b',
])('%s can be used', url => {
  expect(findDatabaseUrlProblem(url)).toBeUndefined();
});

test.each([
  'mongodb://user:p@ss@127.0.0.1:27017/database',
  'postgresql://user:p@ss@127.0.0.1:5432/database',
  'mongodb://user:p/ss@127.0.0.1:27017/database',
])('%s: its password is to be encoded', url => {
  expect(findDatabaseUrlProblem(url)).toContain('must be %-encoded');
});

test.each(['mongodb://127.0.0.1:99999/x', 'postgresql://127.0.0.1:99999/x'])(
  '%s: its host or port is wrong, and no password is spoken of',
  url => {
    expect(findDatabaseUrlProblem(url)).toBe('is not a valid URL; look at its host and port');
  },
);
