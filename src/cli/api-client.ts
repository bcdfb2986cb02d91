import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { driveConsent } from '../embedded/sandbox/drive-consent.js';

const errorSchema = z.looseObject({ code: z.string(), message: z.string() });

/** The fields of Relink's answers that stories, benchmarks and tests read; everything else stays as it came. */
const recordSchema = z.looseObject({
  id: z.string().optional(),
  attempt: z.string().optional(),
  url: z.string().optional(),
  status: z.string().optional(),
  status_url: z.string().optional(),
  type: z.string().optional(),
  credential_id: z.string().optional(),
  entity_id: z.string().optional(),
  external_id: z.string().optional(),
  auth_is_valid: z.boolean().optional(),
  token: z.string().optional(),
  generation: z.number().optional(),
  last_test: z.looseObject({ outcome: z.string() }).nullish(),
  causes: z.array(z.looseObject({ code: z.string(), text: z.string() })).optional(),
  deliveries: z.looseObject({ pending: z.number(), held: z.number() }).optional(),
  error: errorSchema.optional(),
});
const bodySchema = recordSchema.extend({ data: z.array(recordSchema).optional() });

export type AnswerBody = z.infer<typeof bodySchema>;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AnswerBody;
}

/** A product's back end as the demo, the benchmarks and the tests play it: an API key and the user it acts for. */
export class ApiClient {
  constructor(
    readonly url: string,
    readonly apiKey: string,
    readonly userId: string,
  ) {}

  async request(method: Dispatcher.HttpMethod, path: string, body?: unknown): Promise<Answer> {
    const {
      statusCode,
      headers,
      body: answer,
    } = await request(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        'relink-user': this.userId,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: statusCode, headers, body: readBody(await answer.text()) };
  }

  get(path: string): Promise<Answer> {
    return this.request('GET', path);
  }

  post(path: string, body?: unknown): Promise<Answer> {
    return this.request('POST', path, body);
  }

  patch(path: string, body: unknown): Promise<Answer> {
    return this.request('PATCH', path, body);
  }

  /** Starts an attempt at the sandbox and consents in a browser's place; the callback is left to the caller. */
  async consent(account: string, query: Record<string, string> = {}, decision: 'allow' | 'deny' = 'allow') {
    const search = new URLSearchParams({ entityType: 'sandbox', ...query });
    const { status, body } = await this.get(`/api/authorize?${search.toString()}`);
    if (status !== 200 || body.attempt === undefined || body.url === undefined) {
      throw new Error(`GET /api/authorize answered ${status}: ${JSON.stringify(body.error)}`);
    }
    const { finalUrl, cookies } = await driveConsent({ startUrl: body.url, account, decision });
    const deliver = async (to = finalUrl) => {
      const headers = { cookie: cookies.headerFor(new URL(to)) ?? '', accept: 'application/json' };
      const response = await fetch(to, { headers, redirect: 'manual' });
      const location = response.headers.get('location');
      return { status: response.status, location, body: readBody(await response.text()) };
    };
    return { attempt: body.attempt, finalUrl, cookies, deliver };
  }

  /** Connects an account the way a person does, through every page. */
  async connect(account: string, query: Record<string, string> = {}) {
    const consent = await this.consent(account, query);
    return { attempt: consent.attempt, ...(await consent.deliver()) };
  }

  /** Reads until the condition holds, for at most `withinMs`; then fails with what it last saw. */
  async until(path: string, holds: (body: AnswerBody) => boolean, withinMs = 15_000): Promise<AnswerBody> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const { body } = await this.get(path);
      if (holds(body)) return body;
      if (Date.now() > deadline) throw new Error(`${path} is still ${JSON.stringify(body)} after ${withinMs} ms`);
      await sleep(50);
    }
  }
}

function readBody(text: string): AnswerBody {
  return text.startsWith('{') ? bodySchema.parse(JSON.parse(text)) : {};
}
