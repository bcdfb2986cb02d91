import { targetOf, throughProxy } from '../support/through-proxy.js';

const proxy = { port: 4000 };

it.each([
  ['mongodb://127.0.0.1:27017/test_1', 'mongodb://127.0.0.1:4000/test_1?directConnection=true'],
  ['mongodb://127.0.0.1:27017/test_1?replicaSet=rs0', 'mongodb://127.0.0.1:4000/test_1?directConnection=true'],
  [
    'mongodb://user:pass%40word@db.example.com/test_1?replicaSet=rs0&authSource=admin',
    'mongodb://user:pass%40word@127.0.0.1:4000/test_1?authSource=admin&directConnection=true',
  ],
])('%s goes through a proxy, whatever settings it has', (databaseUrl, expected) => {
  expect(throughProxy(databaseUrl, proxy)).toBe(expected);
  const settings = { relinkProfile: 'documentdb', tls: 'false' };
  expect(throughProxy(databaseUrl, proxy, settings)).toBe(`${expected}&relinkProfile=documentdb&tls=false`);
});

it.each([
  ['mongodb://127.0.0.1:27018/test_1', { host: '127.0.0.1', port: 27_018 }],
  ['mongodb://db.example.com/test_1?replicaSet=rs0', { host: 'db.example.com', port: 27_017 }],
  ['mongodb://[::1]:27018/test_1', { host: '::1', port: 27_018 }],
])('the proxy of %s dials its host', (databaseUrl, expected) => {
  expect(targetOf(databaseUrl)).toEqual(expected);
});
