import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { request } from 'undici';
import { addressRefusedCode, getDispatcher, type DispatcherOptions } from './guarded-dispatcher.js';
import { readBody } from './read-body.js';

/** What providers answer with of their own is small; more than this is not an answer. */
const defaultMaxBodyBytes = 1024 * 1024;

export type RequestFailure = 'timeout' | 'network' | 'too_large' | 'address_refused';

export type RequestResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly text: string;
    }
  | {
      readonly kind: 'failed';
      readonly reason: RequestFailure;
      /** The code of the network's, the resolver's or TLS's own error, such as `ECONNREFUSED`; null where there is none. */
      readonly code: string | null;
      /** False only where it is certain that not a byte of the request left: the provider cannot have acted on it. */
      readonly sent: boolean;
    };

export interface RequestToSend extends DispatcherOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** 1 MB unless given. */
  readonly maxBodyBytes?: number;
  /** What is beyond is left unread, instead of making the answer a failure: for answers whose status is all that counts. */
  readonly cutBody?: boolean;
  /** For everything, from connecting to the last byte of the body. */
  readonly timeoutMs: number;
  /** Ends the request early; its reason is then thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Only what has the form of a code: it is shown. */
function readCode(error: unknown): string | null {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : null;
}

function classify(code: string | null): RequestFailure {
  if (code === addressRefusedCode) return 'address_refused';
  return code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT' ? 'timeout' : 'network';
}

/** The body, read only once a connection stands: who reads it, is about to send. */
function tellReading(body: string | Uint8Array, onRead: () => void): Readable {
  return Readable.from(
    (function* () {
      onRead();
      yield typeof body === 'string' ? Buffer.from(body) : body;
    })(),
    { objectMode: false },
  );
}

/**
 * Sends one request, once: no retry, no redirect, no decompression. Failures are values without the library's error,
 * because those can carry headers and addresses.
 */
export async function sendRequest(options: RequestToSend): Promise<RequestResult> {
  const { method, url, headers, body, timeoutMs, signal, maxBodyBytes = defaultMaxBodyBytes } = options;
  signal?.throwIfAborted();
  // Not an AbortController: making one, and listening to it, costs as much as all else that is done here.
  const aborts = new EventEmitter();
  let abort = () => void aborts.emit('abort');
  let timedOut = false;
  // On a kept connection nobody can tell: the other side may be closing it while the request is on its way.
  const tells = body !== undefined && !options.keepAlive;
  let sent = !tells;
  const timer = setTimeout(() => {
    timedOut = true;
    abort();
  }, timeoutMs);
  const onSignal = () => abort();
  signal?.addEventListener('abort', onSignal, { once: true });
  try {
    const asked = request(url, {
      method,
      // Without a stated preference any coding is fair game (RFC 9110 section 12.5.3), and a compressed answer to a
      // spent code would be lost.
      headers: {
        ...headers,
        ...(tells && { 'content-length': String(Buffer.byteLength(body)) }),
        'user-agent': 'relink',
        'accept-encoding': 'identity',
      },
      body: tells ? tellReading(body, () => (sent = true)) : (body ?? null),
      dispatcher: getDispatcher(options),
      signal: aborts,
      // The one timer above covers these.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    // While it connects, undici takes note of an abort and goes on connecting, for 10 s; what comes of that is given up
    // before a byte is sent. Nobody waits for it here.
    const answer = await new Promise<Awaited<typeof asked>>((resolve, reject) => {
      abort = () => {
        aborts.emit('abort');
        reject(new Error('given up'));
      };
      asked.then(resolve, reject);
    });
    const text = await readBody(answer, maxBodyBytes, options.cutBody === true);
    if (text === null) return { kind: 'failed', reason: 'too_large', code: null, sent: true };
    return { kind: 'answered', status: answer.statusCode, headers: answer.headers, text };
  } catch (error) {
    if (timedOut) return { kind: 'failed', reason: 'timeout', code: null, sent };
    signal?.throwIfAborted();
    const code = readCode(error);
    return { kind: 'failed', reason: classify(code), code, sent };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onSignal);
  }
}
