import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { MongoClient } from 'mongodb';
import { newId } from '../../src/ids.js';
import type { Store } from '../../src/store/port/store.js';
import { openRecords } from '../../src/store/open-store.js';
import { importRecords } from '../../src/store/transfer/import-records.js';
import { type RecordKind } from '../../src/store/transfer/records.js';
import { RecordSummer } from '../../src/store/transfer/sum-records.js';
import { writeTransferFile } from '../../src/store/transfer/transfer-file.js';
import { createTestDatabase } from '../support/create-test-database.js';
import { describeOnMongo } from '../support/start-test-mongo.js';
import { deliveryOf, newIntegration } from './delivery-fixtures.js';
import { insertCredential, insertEntity, newUser, noon, sessionIn } from './fixtures.js';
import { fill, useTransfer } from './transfer-scene.js';

// The first run builds the server.
jest.setTimeout(300_000);

describeOnMongo('moving what is not fit to be moved', () => {
  const { within, exportTo, importFrom, newMongo, postgresUrl, pathOf, filesOf } = useTransfer();

  it('exports nothing from a store that is written to meanwhile', async () => {
    for (const source of [await newMongo(), postgresUrl()]) {
      const credential = await within(source, store => insertCredential(store, newUser()));
      const file = pathOf(`live-${source.split(':', 1)[0] ?? ''}.jsonl`);
      const records = await openRecords({ databaseUrl: source });
      // Between the pages of credentials and those of entities: one kind was read, the other is not yet.
      const during = (write: (store: Store) => Promise<unknown>) => {
        let done = false;
        const read: typeof records.read = async (kind, after) => {
          if (kind === 'entities' && !done) {
            done = true;
            await within(source, write);
          }
          return records.read(kind, after);
        };
        return expect(writeTransferFile({ ...records, read }, file)).rejects.toMatchObject({
          code: 'invalid_request',
          detail: expect.stringMatching(/was written to while it was exported/) as string,
        });
      };
      await during(store => insertEntity(store, newUser()));
      await during(store => store.recordCredentialTest(credential.id, { outcome: 'ok', generation: 1, at: noon }));
      await during(store => sessionIn(store, 'exchanged'));
      expect(filesOf('live-')).toEqual([]);
      await records.close();
    }
  });

  it('writes lots that are bounded by their size, and one that is refused as a whole record by record', async () => {
    const [source, target] = [await newMongo(), await newMongo()];
    const sealedContent = 'x'.repeat(3_000_000);
    const rows = Array.from({ length: 5 }, () => deliveryOf(newIntegration(), { sealedContent }));
    for (const row of rows) await within(source, store => store.insertDeliveries([row]));
    const { file, end } = await exportTo(source, 'large.jsonl');
    const records = await openRecords({ databaseUrl: target });
    const lots: number[] = [];
    const write: typeof records.write = async (kind, lot) => {
      lots.push(lot.length);
      if (lot.length > 1) throw new Error('larger than this server takes');
      await records.write(kind, lot);
    };
    expect(await importRecords({ ...records, write }, file)).toEqual(end);
    expect(lots).toEqual([2, 1, 1, 2, 1, 1, 1]);
    await records.close();
  });

  it('is not done when what is read back is not what the file holds', async () => {
    const [source, target] = [await newMongo(), await newMongo()];
    await within(source, fill);
    const { file, end } = await exportTo(source, 'read-back.jsonl');
    const records = await openRecords({ databaseUrl: target });
    const write: typeof records.write = (kind, lot) => records.write(kind, kind === 'entities' ? lot.slice(1) : lot);
    await expect(importRecords({ ...records, write }, file)).rejects.toMatchObject({
      code: 'invalid_request',
      detail: 'what was read back from the database is not what the file holds',
    });
    await within(target, store => expect(store.check()).rejects.toMatchObject({ code: 'import_unfinished' }));
    await records.close();
    expect(await importFrom(target, file)).toEqual(end);
  });

  it('refuses a database that went on working with what was moved', async () => {
    const source = await newMongo();
    const credential = await within(source, store => insertCredential(store, newUser()));
    const { file } = await exportTo(source, 'worked-with.jsonl');
    const empty = await createTestDatabase();
    for (const target of [await newMongo(), empty.url]) {
      await importFrom(target, file);
      const tested = { outcome: 'ok', generation: 1, at: noon } as const;
      await within(target, store => store.recordCredentialTest(credential.id, tested));
      const known = await within(target, store => store.getCredential(credential.id));
      await expect(importFrom(target, file)).rejects.toMatchObject({
        code: 'invalid_request',
        detail: `the database holds a record that the file does not, or another version of it: credentials ${credential.id}`,
      });
      expect(await within(target, store => store.getCredential(credential.id))).toEqual(known);
    }
    await empty.drop();
  });

  it('refuses a record that refers to none, out of a store and out of a file', async () => {
    const source = await newMongo();
    const entity = await within(source, async store => insertEntity(store, newUser()));
    const told = `entity ${entity.id} refers to ${entity.credentialId}, which is not among the credentials`;
    const { file, end } = await exportTo(source, 'references.jsonl');
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter(text => !text.includes('"kind":"credentials"'));
    const summer = new RecordSummer();
    for (const text of lines) {
      const [, kind, record] = /^{"kind":"(\w+)","record":(.*)}$/.exec(text) ?? [];
      if (record !== undefined) summer.add({ kind: kind as RecordKind, canonical: record });
    }
    const cut = { ...end, ...summer.end() };
    writeFileSync(file, `${lines.slice(0, -2).join('\n')}\n${JSON.stringify({ end: cut })}\n`);
    const empty = await createTestDatabase();
    for (const target of [await newMongo(), empty.url]) {
      await expect(importFrom(target, file)).rejects.toMatchObject({ code: 'invalid_request', detail: told });
      await within(target, store => store.check());
    }
    await empty.drop();

    const client = new MongoClient(source);
    await client.db().collection('credentials').deleteMany({});
    await client.close();
    await expect(exportTo(source, 'nothing.jsonl')).rejects.toMatchObject({ code: 'invalid_request', detail: told });
  });

  it('fills in what an older document leaves out, and leaves behind what no version of it has', async () => {
    const source = await newMongo();
    const made = await within(source, fill);
    const client = new MongoClient(source);
    const change = async (collection: string, fields: readonly string[]) => {
      const $unset = Object.fromEntries(fields.map(field => [field, '']));
      await client
        .db()
        .collection(collection)
        // Right by the validators of its time.
        .updateMany({}, { $unset, $set: { unknownField: { a: 1 } } }, { bypassDocumentValidation: true });
    };
    await change('credentials', ['kind', 'refreshTry', 'refreshPosts', 'refreshDueAt', 'grantWarnAt']);
    await change('integrations', ['resumeSince']);
    await change('deliveries', ['detail']);
    await change('subscriptions', ['dueAt']);
    const { file, end } = await exportTo(source, 'older-documents.jsonl');
    const empty = await createTestDatabase();
    for (const target of [await newMongo(), empty.url]) {
      expect(await importFrom(target, file)).toEqual(end);
      const credential = (store: Store) => store.getCredential(made.credential.id);
      expect(await within(target, credential)).toEqual(await within(source, credential));
    }
    await empty.drop();
    await client
      .db()
      .collection('credentials')
      .updateOne({}, { $set: { authIsValid: 'perhaps' } });
    await client.close();
    await expect(exportTo(source, 'unreadable.jsonl')).rejects.toMatchObject({
      code: 'invalid_request',
      detail: expect.stringMatching(/^credentials cred_\w+ cannot be read: authIsValid: /) as string,
    });
  });

  it('names the record that a database refuses, without what it holds', async () => {
    const source = await newMongo();
    const { dead } = await within(source, fill);
    const empty = await createTestDatabase();
    const records = await openRecords({ databaseUrl: source });
    const read: typeof records.read = async (kind, after) => {
      const found = await records.read(kind, after);
      return found.map(record => (record['id'] === dead.id ? { ...record, kind: undefined } : record));
    };
    const file = pathOf('refused.jsonl');
    await writeTransferFile({ ...records, read }, file).finally(() => records.close());
    const refusal: unknown = await importFrom(empty.url, file).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'invalid_request',
      detail: expect.stringMatching(new RegExp(`^credentials ${dead.id} cannot be written: .*"kind"`)) as string,
    });
    expect(String(refusal)).not.toContain(dead.sealedTokens);
    await empty.drop();
  });

  it('refuses a database with other records, and a file that is cut or changed, before anything is written', async () => {
    const source = await newMongo();
    await within(source, fill);
    const { file } = await exportTo(source, 'whole.jsonl');
    const refusals = async (target: string, of: string, told: RegExp) =>
      expect(importFrom(target, of)).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringMatching(told) as string,
      });

    const other = await newMongo();
    const stranger = await within(other, store => insertCredential(store, newUser()));
    await refusals(other, file, new RegExp(`credentials ${stranger.id}`));
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const empty = await newMongo();
    const broken = pathOf('broken.jsonl');
    writeFileSync(broken, `${lines.slice(0, -1).join('\n')}\n`);
    await refusals(empty, broken, /its last line is missing/);
    writeFileSync(broken, [...lines.slice(1)].join('\n'));
    await refusals(empty, broken, /was changed since it was exported/);
    writeFileSync(broken, 'not a line\n');
    appendFileSync(broken, lines.join('\n'));
    await refusals(empty, broken, /line 1 of .* is not of an export/);
    for (const schema of ['99990101000000_later', undefined]) {
      const end = lines.at(-1)?.replace(/"schema":"(\w+)"/, schema === undefined ? '"x":1' : `"schema":"${schema}"`);
      writeFileSync(broken, [...lines.slice(0, -1), end].join('\n'));
      await refusals(empty, broken, new RegExp(`exported by a release with the schema ${schema ?? 'an older one'}, `));
    }
    const left = await within(empty, store => store.findAnyCredential());
    expect(left).toBeNull();
    expect(await within(empty, store => store.getSession(newId('session')))).toBeNull();
  });
});
