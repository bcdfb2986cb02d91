import { z } from 'zod';
import type { IntegrationState } from '../../../src/domain/integration-state.js';
import { defineIntegration } from '../../../src/integrations/definition.js';
import { gateOf, gateOfState, isAtWork, isStateAtWork } from '../../../src/integrations/gate-of.js';
import { alive, dead } from '../../support/integration-states.js';

const strict = defineIntegration({
  type: 'strict',
  name: 'Strict',
  providers: 'any',
  config: z.object({}),
  webhooks: { whileInError: 'discard' },
  onWebhook: () => undefined,
});
const deaf = defineIntegration({
  type: 'without a handler',
  name: 'Deaf',
  providers: 'any',
  config: z.object({}),
  webhooks: { whileInError: 'discard' },
});
const types = new Map([strict, deaf].map(type => [type.type, type]));
const catalogue = { find: (type: string) => types.get(type) ?? null };

test('what is gone discards', () => {
  expect(gateOf(catalogue, null)).toBe('discard');
});

test.each([
  ['strict', 'discard'],
  ['no longer defined', 'hold'],
])('in ERROR the type decides, and one that is not defined holds: %s', (type, gate) => {
  expect(gateOf(catalogue, { type, status: 'ERROR', openCauses: 1 })).toBe(gate);
  expect(gateOfState(catalogue, { type, state: dead })).toBe(gate);
});

test.each(['without a handler', 'no longer defined'])('nothing runs of a type that is %s: it is held', type => {
  expect(gateOf(catalogue, { type, status: 'ENABLED', openCauses: 0 })).toBe('hold');
  expect(gateOfState(catalogue, { type, state: alive })).toBe('hold');
  expect(gateOfState(catalogue, { type, state: { ...alive, intent: 'paused' } })).toBe('discard');
});

test('other hooks run where the connection works, whatever the type', () => {
  expect(isStateAtWork(alive)).toBe(true);
  expect(isStateAtWork(dead)).toBe(false);
  expect(isAtWork({ status: 'DISABLED', openCauses: 0 })).toBe(false);
});

test.each<[IntegrationState, string]>([
  [alive, 'process'],
  [{ ...alive, lifecycle: 'creating' }, 'process'],
  [{ ...dead, lifecycle: 'creating' }, 'hold'],
  [{ ...alive, intent: 'paused' }, 'discard'],
  [{ ...dead, lifecycle: 'deleting' }, 'discard'],
])('a state is judged by its status and its open causes (%#)', (state, gate) => {
  expect(gateOfState(catalogue, { type: 'strict', state })).toBe(gate);
});
