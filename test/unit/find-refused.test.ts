import { findRefused } from '../../src/embedded/mongo/find-refused.js';

const aggregate = (...pipeline: readonly object[]) => ({ aggregate: 'things', pipeline, cursor: {} });
const createIndex = (options: object) => ({
  createIndexes: 'things',
  indexes: [{ name: 'n', key: { n: 1 }, ...options }],
});

it.each<[string, Record<string, unknown>]>([
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
])('%s outside the list is refused', (_name, command, told) => {
  expect(findRefused(command)).toBe(told);
});
