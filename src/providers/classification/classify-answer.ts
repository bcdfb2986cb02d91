import { z } from 'zod';
import { tokenDialects } from './dialects.js';
import { generalRules, outageRules, type AnswerMeaning, type AnswerPattern } from './rules.js';

/** What is known of an answer when it is classified. */
export interface ObservedAnswer {
  /** Null when there was a whole answer. */
  readonly failure: 'not_sent' | 'cut' | null;
  /** Null when there was none. */
  readonly status: number | null;
  /** The value of `WWW-Authenticate`. */
  readonly challenge: string | null;
  /** Parsed JSON; undefined when it is none. */
  readonly body: unknown;
  readonly token: boolean;
}

export interface Classification {
  readonly meaning: AnswerMeaning;
  /** The code in the body, as the provider wrote it: a stranger's text, see `showErrorCode`. Null when there is none. */
  readonly error: string | null;
}

const objectSchema = z.record(z.string(), z.unknown());

/** Says what an answer of `provider`'s token endpoint means: outages, then its dialect, then the general table. */
export function classifyAnswer(provider: { readonly id: string }, answer: ObservedAnswer): Classification {
  const dialect = tokenDialects[provider.id];
  const error = readError(answer.body, dialect?.errorFields ?? ['error']);
  const rules = [...outageRules, ...(dialect?.rules ?? []), ...generalRules];
  const rule = rules.find(({ when }) => fits(when, answer, error));
  // The last general rule fits everything.
  return { meaning: rule?.means ?? 'transient', error };
}

/** Whether such a status says nothing about what was asked, whatever the body says. */
export function isOutage(status: number): boolean {
  const answer = { failure: null, status, challenge: null, body: undefined, token: false };
  return outageRules.some(({ when }) => fits(when, answer, null));
}

/** The first field that holds a text. */
function readError(body: unknown, fields: readonly string[]): string | null {
  const object = objectSchema.safeParse(body);
  if (!object.success) return null;
  for (const field of fields) {
    const value = object.data[field];
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

function fits(pattern: AnswerPattern, answer: ObservedAnswer, error: string | null): boolean {
  const { failure, status, error: codes, challenge, token } = pattern;
  if (failure !== undefined && answer.failure !== failure) return false;
  if (status !== undefined && !fitsStatus(status, answer.status)) return false;
  if (codes !== undefined && (error === null || (codes !== 'any' && !codes.includes(error)))) return false;
  // RFC 6749 section 5.2: a challenge in the scheme the client used means that the client was not recognised.
  if (challenge === true && (error !== null || !/^basic\b/i.test(answer.challenge ?? ''))) return false;
  return token !== true || answer.token;
}

function fitsStatus(wanted: NonNullable<AnswerPattern['status']>, status: number | null): boolean {
  if (status === null) return false;
  if (typeof wanted !== 'string') return wanted.includes(status);
  return Math.floor(status / 100) === Number(wanted.slice(0, 1));
}
