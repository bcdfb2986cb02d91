import { ConfigError, RelinkError } from '../../src/errors.js';
import { connectMongo } from '../../src/store/mongo/connect.js';
import { explainMongoError } from '../../src/store/mongo/explain-mongo-error.js';
import { toMongoStoreError } from '../../src/store/mongo/map-mongo-error.js';
import { explainStoreError, migrateStore, openStore } from '../../src/store/open-store.js';

test.each([
  ['?foo=1', 'option foo is not supported'],
  ['?tls=maybe', 'tls/ssl must be either "true" or "false"'],
])('a setting that the driver does not know is told in one line: %s', async (query, why) => {
  const databaseUrl = `mongodb://user:hidden@127.0.0.1:1/relink${query}`;
  const told = { problems: [`DATABASE_URL: the driver does not take it: ${why}`] };
  await expect(openStore({ databaseUrl, poolSize: 1 })).rejects.toMatchObject(told);
  await expect(migrateStore(databaseUrl)).rejects.toMatchObject(told);
});

test.each([
  'mongodb://user:12/hidden@127.0.0.1:1/relink',
  'mongodb://user:p@hidden@127.0.0.1:1/relink',
  'mongodb://user:hidden@127.0.0.1:1/re%link',
  'mongodb://user:hidden@127.0.0.1:1/re.link',
  'mongodb://user:hidden@127.0.0.1:port/relink',
])('a URL that the driver cannot read is told as a setting, without the password: %s', async databaseUrl => {
  for (const call of [openStore({ databaseUrl, poolSize: 1 }), migrateStore(databaseUrl)]) {
    const error: unknown = await call.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toMatch(/DATABASE_URL: the driver does not take it: \w/);
    expect(String(error)).not.toContain('hidden');
  }
});

test('what the store decides itself is not taken from the URL, however it is written', async () => {
  const decided = 'W=1&journal=false&wTimeoutMS=5&readConcernLevel=available&readPreference=secondary';
  const tags = 'readPreferenceTags=a:b&readPreferenceTags=c:d&maxStalenessSeconds=100';
  for (const query of [decided, `${tags}&replicaSet=rs0`, `readpreference=nearest&${tags}&retryReads=false`]) {
    const { client } = connectMongo({ databaseUrl: `mongodb://one,two/relink?${query}` });
    const { writeConcern, readConcern, readPreference } = client.options;
    expect(writeConcern).toEqual({ w: 'majority' });
    expect(readConcern).toBeUndefined();
    expect(readPreference).toMatchObject({ mode: 'primary', tags: undefined, maxStalenessSeconds: undefined });
    expect(client.options.replicaSet).toBe(query.includes('rs0') ? 'rs0' : undefined);
    await client.close();
  }
});

test.each([
  ['', true, false],
  ['?tls=true', true, true],
  ['?relinkProfile=documentdb', false, true],
  ['?relinkProfile=documentdb&tls=false', false, false],
  ['?relinkProfile=documentdb&ssl=false&replicaSet=rs0', false, false],
  ['?retryWrites=true&relinkProfile=documentdb', false, true],
])(
  'no write is retried on DocumentDB, and TLS is on there unless the URL says otherwise: %s',
  async (query, retryWrites, tls) => {
    const { client } = connectMongo({ databaseUrl: `mongodb://one,two/relink${query}` });
    // What the driver does unless it is told otherwise: it retries, without TLS.
    expect([client.options.retryWrites ?? true, client.options.tls ?? false]).toEqual([retryWrites, tls]);
    await client.close();
  },
);

test('the CA bundle that the URL names reaches the driver, on a host of Amazon too', async () => {
  for (const url of ['mongodb://one/relink?relinkProfile=documentdb&', 'mongodb://c.docdb.amazonaws.com/relink?']) {
    const { client } = connectMongo({ databaseUrl: `${url}tlsCAFile=/etc/global-bundle.pem` });
    expect(client.options).toMatchObject({ retryWrites: false, tls: true, tlsCAFile: '/etc/global-bundle.pem' });
    await client.close();
  }
});

test.each(['ETIMEOUT', 'ESERVFAIL', 'ENODATA', 'EREFUSED', 'ENOTIMP', 'ENOTFOUND', 'EAI_AGAIN'])(
  'a name that cannot be resolved is told so, also where its service record is asked for: %s',
  code => {
    const mapped = toMongoStoreError(Object.assign(new Error(`querySrv ${code} _mongodb._tcp.host`), { code }));
    expect(mapped).toMatchObject({ name: 'RelinkError', code: 'database_unavailable', retryable: true });
    expect(explainMongoError(mapped, 'mongodb+srv://user:hidden@host/relink')).toMatchObject({
      problems: ['DATABASE_URL: the host name host cannot be resolved (database "relink")'],
    });
  },
);

test('a file of the URL that cannot be opened is told by its path, by every command', async () => {
  const path = '/no/such/authority.pem';
  const databaseUrl = `mongodb://user:hidden@127.0.0.1:1/relink?relinkProfile=documentdb&tlsCAFile=${path}`;
  const told = {
    problems: [`DATABASE_URL: it names the file ${path}, which cannot be opened: no such file or directory`],
  };
  const store = await openStore({ databaseUrl, poolSize: 1 });
  for (const call of [store.check(), migrateStore(databaseUrl)]) {
    const error: unknown = await call.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RelinkError);
    expect(await explainStoreError(error, databaseUrl)).toMatchObject(told);
  }
  await store.close();
});
