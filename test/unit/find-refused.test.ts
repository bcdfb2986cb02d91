import { findRefused } from '../../src/embedded/mongo/find-refused.js';

const aggregate = (...pipeline: readonly object[]) => ({ aggregate: 'things', pipeline, cursor: {} });
const createIndex = (options: object) => ({
  createIndexes: 'things',
  indexes: [{ name: 'n', key: { n: 1 }, ...options }],
});

const update = (...updates: readonly object[]) => ({
  update: 'things',
  updates: updates.map(one => ({ q: { n: 1 }, u: { $set: { n: 2 } }, ...one })),
});
const remove = (one: object) => ({ delete: 'things', deletes: [{ q: { n: 1 }, limit: 1, ...one }] });
const findAndModify = (more: object) => ({
  findAndModify: 'things',
  query: { n: 1 },
  update: { $inc: { n: 1 } },
  ...more,
});

it.each<[string, Record<string, unknown>]>([
  ['an update', { ...update({ upsert: true }), lsid: {}, $db: 'a' }],
  ['a delete', remove({ q: { n: { $in: [1] } } })],
  ['a findAndModify', findAndModify({ new: true })],
  [
    'what the driver sends for a count',
    aggregate({ $match: { n: { $gt: 1 } } }, { $group: { _id: 1, n: { $sum: 1 } } }),
  ],
  ['an expression in a filter', aggregate({ $match: { $expr: { $gt: [{ $add: ['$a', 1] }, '$b'] } } })],
  [
    'a count by a field, in order',
    aggregate({ $group: { _id: '$n', all: { $push: '$$ROOT' } } }, { $sort: { _id: 1 } }),
  ],
  [
    'a lookup',
    aggregate({ $lookup: { from: 'others', let: { id: '$_id' }, pipeline: [{ $match: { n: 1 } }], as: 'o' } }),
  ],
  ['a partial index', createIndex({ partialFilterExpression: { n: { $exists: true } } })],
])('%s is passed', (_name, command) => {
  expect(findRefused(command)).toBeUndefined();
});

it.each<[string, Record<string, unknown>, string]>([
  ['an accumulator', aggregate({ $group: { _id: null, n: { $stdDevPop: '$n' } } }), 'the operator $stdDevPop'],
  ['an expression of $project', aggregate({ $project: { n: { $function: {} } } }), 'the operator $function'],
  [
    'one of $addFields, further in',
    aggregate({ $addFields: { n: { $add: [1, { $sin: '$n' }] } } }),
    'the operator $sin',
  ],
  ['one of $expr', aggregate({ $match: { $expr: { $eq: [{ $trunc: '$n' }, 1] } } }), 'the operator $trunc'],
  [
    'a stage of the pipeline of a $lookup',
    aggregate({ $lookup: { from: 'others', pipeline: [{ $facet: {} }], as: 'o' } }),
    '$facet of a pipeline',
  ],
  [
    'an operator of the pipeline of a $lookup',
    aggregate({ $lookup: { from: 'others', pipeline: [{ $match: { $where: 'true' } }], as: 'o' } }),
    'the operator $where',
  ],
  [
    'an expression of the variables of a $lookup',
    aggregate({ $lookup: { from: 'others', let: { n: { $rand: {} } }, pipeline: [], as: 'o' } }),
    'the operator $rand',
  ],
  [
    'an operator of a partial index',
    createIndex({ partialFilterExpression: { $where: 'true' } }),
    'the operator $where',
  ],
  [
    'an operator of a projection',
    { find: 'things', filter: {}, projection: { n: { $where: 1 } } },
    'the operator $where',
  ],
  ['an operator of a count', { count: 'things', query: { $where: 'true' } }, 'the operator $where'],
  ['an operator of a distinct', { distinct: 'things', key: 'n', query: { $where: 'true' } }, 'the operator $where'],
  ['an operator of a filter of an update', update({ q: { $where: 'true' } }), 'the operator $where'],
  ['an operator of an update', update({ u: { $setField: { n: 1 } } }), 'the operator $setField'],
  ['a later update of several', update({}, { u: { $setField: { n: 1 } } }), 'the operator $setField'],
  ['a field of an update', update({ collation: { locale: 'en' } }), 'collation of an update'],
  ['an operator of a delete', remove({ q: { n: { $near: [0, 0] } } }), 'the operator $near'],
  ['a field of a delete', remove({ collation: { locale: 'en' } }), 'collation of a delete'],
  ['an operator of a filter of a findAndModify', findAndModify({ query: { $where: 'true' } }), 'the operator $where'],
  [
    'an operator of the update of a findAndModify',
    findAndModify({ update: { $setField: { n: 1 } } }),
    'the operator $setField',
  ],
  ['an update of a findAndModify by a pipeline', findAndModify({ update: [{ $set: {} }] }), 'an update by a pipeline'],
  ['a field of a findAndModify', findAndModify({ let: {} }), 'the field let of findAndModify'],
  ['an option of a collection', { collMod: 'things', index: {} }, 'index of a collection'],
  ['a command', { renameCollection: 'a.things', to: 'a.others' }, 'the command renameCollection'],
  ['a retryable write', { ...update({}), lsid: {}, txnNumber: 1n }, 'retryable writes (txnNumber)'],
])('%s outside the list is refused', (_name, command, told) => {
  expect(findRefused(command)).toBe(told);
});
