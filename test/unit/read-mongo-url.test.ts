import { readMongoUrl } from '../../src/store/mongo/read-mongo-url.js';
import { storeKindOf } from '../../src/store/open-store.js';

test.each([
  ['postgres://host/db', 'postgres'],
  ['postgresql://host/db', 'postgres'],
  ['mongodb://host/db', 'mongo'],
  ['mongodb+srv://host/db', 'mongo'],
])('%s is a store of kind %s', (url, kind) => {
  expect(storeKindOf(url)).toBe(kind);
});

test.each([
  ['mongodb://u:p@host/relink?relinkProfile=documentdb', 'mongodb://u:p@host/relink', 'documentdb'],
  ['mongodb://host/relink?relinkProfile=documentdb&tls=false', 'mongodb://host/relink?tls=false', 'documentdb'],
  ['mongodb://host/relink?a=1&relinkProfile=documentdb&b=2', 'mongodb://host/relink?a=1&b=2', 'documentdb'],
  ['mongodb://host/relink?tls=false', 'mongodb://host/relink?tls=false', 'mongodb'],
  ['mongodb://u:p%40q@one:1,two:2/relink', 'mongodb://u:p%40q@one:1,two:2/relink', 'mongodb'],
])('what is ours never reaches the driver: %s', (given, url, profile) => {
  expect(readMongoUrl(given)).toMatchObject({ url, profile, database: 'relink' });
});

test.each([
  ['mongodb://u:p@c.cluster-abc.eu-west-1.docdb.amazonaws.com:27017/relink', 'documentdb'],
  ['mongodb://c.cluster-abc.docdb.cn-north-1.amazonaws.com.cn/relink', 'documentdb'],
  ['mongodb://c.docdb-elastic.eu-west-1.amazonaws.com/relink', 'documentdb'],
  ['mongodb://c.docdb.amazonaws.com/relink?relinkProfile=mongodb', 'mongodb'],
  ['mongodb://docdb.example.com/relink', 'mongodb'],
])('Amazon is known by its host names, unless the URL says otherwise: %s', (url, profile) => {
  expect(readMongoUrl(url).profile).toBe(profile);
});

test('hosts are named without user and password', () => {
  expect(readMongoUrl('mongodb://user:secret@one:1,two:2/relink?x=1').hosts).toBe('one:1,two:2');
});
