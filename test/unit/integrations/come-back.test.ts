import { z } from 'zod';
import type { IntegrationState } from '../../../src/domain/integration-state.js';
import { comeBack } from '../../../src/integrations/come-back.js';
import { defineIntegration } from '../../../src/integrations/definition.js';
import { alive, dead, deadSince } from '../../support/integration-states.js';

const define = (type: string, hooks: object) =>
  defineIntegration({ type, name: type, providers: 'any', config: z.object({}), ...hooks });
const known = [
  define('subscribing', { ensureSubscription: () => Promise.resolve(null) }),
  define('resuming', { onReconnected: () => Promise.resolve() }),
  define('without hooks', {}),
];
const catalogue = { find: (wanted: string) => known.find(({ type }) => type === wanted) ?? null };

const before = (type: string, state: IntegrationState) => ({
  ...{ type, state, statusSince: new Date('2026-11-24T00:00:00.000Z'), resumeSince: null },
});

test.each(['subscribing', 'resuming', 'not defined here'])(
  'an outage that ends is marked with its beginning: %s',
  type => {
    expect(comeBack(catalogue, before(type, dead), alive)).toEqual({ state: alive, resumeSince: new Date(deadSince) });
  },
);

test('no mark where no hook could make up for it', () => {
  expect(comeBack(catalogue, before('without hooks', dead), alive)).toBe(alive);
});

test('no mark for what opens nothing, and an earlier one stays', () => {
  expect(comeBack(catalogue, before('subscribing', alive), dead)).toBe(dead);
  const marked = { ...before('subscribing', dead), resumeSince: new Date(0) };
  expect(comeBack(catalogue, marked, alive)).toBe(alive);
});
