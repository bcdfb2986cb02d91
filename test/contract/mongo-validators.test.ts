import type { Document } from 'mongodb';
import { connectMongo, openCollections } from '../../src/store/mongo/connect.js';
import { createMongoStore } from '../../src/store/mongo/create-mongo-store.js';
import { validators } from '../../src/store/mongo/define-validators.js';
import { migrateMongo } from '../../src/store/mongo/migrate.js';
import { fits } from '../support/fits-validator.js';
import { describeOnMongo, startTestMongo } from '../support/start-test-mongo.js';
import { fill } from './transfer-scene.js';

// The first run builds the server.
jest.setTimeout(300_000);

const ruled = ['sessions', 'credentials', 'integrations', 'deliveries'] as const;
type Ruled = (typeof ruled)[number];

describeOnMongo('the validators of documents', () => {
  const written: Record<Ruled, Document[]> = { sessions: [], credentials: [], integrations: [], deliveries: [] };
  beforeAll(async () => {
    const mongo = await startTestMongo();
    const databaseUrl = mongo.newDatabase();
    await migrateMongo(databaseUrl);
    const store = createMongoStore({ databaseUrl });
    await fill(store);
    await store.close();
    const { client, db } = connectMongo({ databaseUrl });
    for (const name of ruled) written[name] = await openCollections(db)[name].find({}).toArray();
    await client.close();
    await mongo.stop();
  });

  it('are of these collections', () => {
    expect(Object.keys(validators).sort()).toEqual([...ruled].sort());
  });

  it.each(ruled)('take everything that the store wrote into %s', name => {
    expect(written[name].length).toBeGreaterThan(0);
    expect(written[name].filter(document => !fits(validators[name], document))).toEqual([]);
  });

  const any = (): boolean => true;
  const inState = (state: string) => (document: Document) => document['state'] === state;
  const withCauses = (document: Document) => document['status'] === 'ERROR';
  const withoutCauses = (document: Document) => document['status'] === 'ENABLED';
  const valid = (document: Document) => document['authIsValid'] === true;
  const dead = (document: Document) => document['authIsValid'] === false;

  it.each<[Ruled, string, (document: Document) => boolean, Document]>([
    ['sessions', 'an unknown state', any, { state: 'lost' }],
    ['sessions', 'a grant before the exchange', inState('pending'), { sealedGrant: 'sealed' }],
    ['sessions', 'an exchange without its grant', inState('exchanged'), { sealedGrant: null }],
    ['sessions', 'an exchange without its number', inState('exchanged'), { grantSequence: null }],
    ['sessions', 'a grant kept after it was used', inState('restored'), { sealedGrant: 'sealed' }],
    ['sessions', 'a connection without its credential', inState('restored'), { credentialId: null }],
    ['sessions', 'a connection without its entity', inState('restored'), { state: 'connected', entityId: null }],
    ['sessions', 'a failure without its code', inState('failed'), { errorCode: null }],
    ['sessions', 'a code without a failure', inState('pending'), { errorCode: 'internal' }],
    ['credentials', 'an unknown kind', any, { kind: 'letter' }],
    ['credentials', 'a verdict over a valid one', valid, { verdict: { code: 'credential_refused' } }],
    ['credentials', 'a death without its verdict', dead, { verdict: null }],
    ['integrations', 'an ERROR without a cause', withCauses, { causes: [] }],
    ['integrations', 'a cause without an ERROR', withoutCauses, { causes: [{ credentialId: 'cred_1' }] }],
    ['integrations', 'causes that are no list', withCauses, { causes: { 0: {} } }],
    ['integrations', 'a status that is not computed', withoutCauses, { intent: 'off' }],
    ['integrations', 'an unknown lifecycle', any, { lifecycle: 'asleep' }],
    ['deliveries', 'an unknown state', any, { state: 'lost', stage: 'lost' }],
    ['deliveries', 'a stage that is not its state’s', inState('queued'), { stage: 'succeeded' }],
    ['deliveries', 'a claim that nobody holds', inState('queued'), { claim: 'run/1' }],
    ['deliveries', 'a claim without its holder', inState('queued'), { state: 'claimed' }],
    ['deliveries', 'an end before the end', inState('queued'), { finishedAt: new Date() }],
    ['deliveries', 'an end without its time', inState('succeeded'), { finishedAt: null }],
    ['deliveries', 'a success with a reason', inState('succeeded'), { reason: 'handler_failed' }],
    ['deliveries', 'a failure without a reason', inState('failed'), { reason: null }],
  ])('of %s refuse %s', (name, _what, isMeant, change) => {
    const good = written[name].find(isMeant);
    expect(good).toBeDefined();
    expect(fits(validators[name], { ...good, ...change })).toBe(false);
  });

  it.each<[Ruled, string, readonly string[]]>([
    ['sessions', 'state, grant or error', ['state', 'sealedGrant', 'errorCode']],
    ['credentials', 'kind, validity or verdict', ['kind', 'authIsValid', 'verdict']],
    ['integrations', 'status or what it comes from', ['lifecycle', 'intent', 'causes', 'status']],
    ['deliveries', 'state, stage, claim or end', ['state', 'stage', 'claim', 'finishedAt']],
  ])('of %s refuse a document that lacks %s', (name, _what, fields) => {
    for (const field of fields) {
      const lacking = written[name].map(document =>
        Object.fromEntries(Object.entries(document).filter(([key]) => key !== field)),
      );
      expect([field, lacking.filter(document => fits(validators[name], document))]).toEqual([field, []]);
    }
  });
});
