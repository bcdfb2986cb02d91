import type { Cause } from './cause.js';
import type { CredentialId } from './ids.js';
import { computeStatus, type IntegrationStatus, type Intent, type Lifecycle } from './status.js';

/**
 * The part of an integration that the rules work on. Transitions are pure: they return the next state, or the very
 * same object when nothing changes, so that callers can skip the write ("writing an already-held status is no write").
 *
 * Late news must lose: `epochs` holds, per credential, the highest epoch this row has heard of. Every epoch belongs to
 * exactly one event (tokens written, or verdict changed), so an event whose epoch is not above the one known is either
 * a repeat or overtaken, and in both cases a no-op. That makes every retried activity harmless, also after the user
 * acted in between.
 */
export interface IntegrationState {
  readonly lifecycle: Lifecycle;
  readonly intent: Intent;
  readonly causes: readonly Cause[];
  readonly epochs: Readonly<Record<string, number>>;
}

export function statusOf(state: IntegrationState): IntegrationStatus {
  return computeStatus(state.lifecycle, state.intent, state.causes);
}

function knows(state: IntegrationState, credentialId: CredentialId, epoch: number): boolean {
  return (state.epochs[credentialId] ?? 0) >= epoch;
}

/** Records the death of a credential. The status follows where the lifecycle and the intent let it. */
export function addCause(state: IntegrationState, cause: Cause): IntegrationState {
  if (knows(state, cause.credentialId, cause.epoch)) return state;
  return {
    ...state,
    causes: [...state.causes.filter(known => known.credentialId !== cause.credentialId), cause],
    epochs: { ...state.epochs, [cause.credentialId]: cause.epoch },
  };
}

export interface Restoration {
  readonly credentialId: CredentialId;
  readonly epoch: number;
  /** The credentials that the row's entities point to now; causes of any other credential are dropped. */
  readonly currentCredentialIds: ReadonlySet<string>;
  /** A reconnect is the user's opt-in and ends a pause; a passing test or refresh never does. */
  readonly optIn: boolean;
}

/** Takes note that a credential is alive at `epoch`. */
export function restore(state: IntegrationState, restoration: Restoration): IntegrationState {
  const { credentialId, epoch, currentCredentialIds, optIn } = restoration;
  if (knows(state, credentialId, epoch)) return state;
  const endsPause = optIn && statusOf(state) === 'DISABLED';
  return {
    lifecycle: state.lifecycle,
    intent: endsPause ? 'on' : state.intent,
    causes: state.causes.filter(
      cause => cause.credentialId !== credentialId && currentCredentialIds.has(cause.credentialId),
    ),
    epochs: { ...state.epochs, [credentialId]: epoch },
  };
}

/**
 * Takes back the cause that one invalidation added, after it saw that the world had moved on: the credential has a
 * newer epoch, or none of the row's entities points to it any more.
 */
export function withdrawCause(state: IntegrationState, credentialId: CredentialId, epoch: number): IntegrationState {
  const causes = state.causes.filter(cause => cause.credentialId !== credentialId || cause.epoch !== epoch);
  return causes.length === state.causes.length ? state : { ...state, causes };
}

/** The user's switch. Switching on while a cause is open lands in ERROR, by computeStatus. */
export function setIntent(state: IntegrationState, intent: Intent): IntegrationState {
  return state.intent === intent ? state : { ...state, intent };
}

export function setLifecycle(state: IntegrationState, lifecycle: Lifecycle): IntegrationState {
  return state.lifecycle === lifecycle || state.lifecycle === 'deleting' ? state : { ...state, lifecycle };
}
