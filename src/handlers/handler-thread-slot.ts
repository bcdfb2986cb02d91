import type { Worker } from 'node:worker_threads';
import { answerRequest } from './answer-request.js';
import { copyBody } from './copy-body.js';
import { describeDeath } from './describe-death.js';
import type { HandlerAnswer, HandlerCall, HandlerServices } from './handler-host.js';
import { OpenCalls, type CallEnd } from './open-calls.js';
import { startThread, type ThreadSettings } from './start-thread.js';
import { parseFromThread, type FromThread, type ThreadCall, type ToThread } from './thread-messages.js';
import { lookEveryMs, watchThread, type ThreadWatch } from './watch-thread.js';

/** For loading the adopter's module. */
const startWithinMs = 30_000;
const longestLogLine = 500;
/** More given-up handlers than this in one thread, and it takes no new calls. */
const maxGivenUp = 5;

/**
 * One thread and the calls in it. When it dies, for whatever reason, every call in it ends as `crashed`; the host makes
 * another one for the next call. Once it is ending it takes no more calls.
 */
export class HandlerThread {
  /** Resolves when the module is loaded, or the thread is dead. */
  readonly started: Promise<void>;
  private readonly worker: Worker;
  private readonly watch: ThreadWatch;
  private readonly startTimer: NodeJS.Timeout;
  private readonly calls = new OpenCalls();
  /** Handlers whose callers got their answer without them. They get nothing more, but may still run. */
  private givenUp = 0;
  private looking: NodeJS.Timeout | undefined;
  private onStarted: () => void = () => undefined;
  private reserved = 0;
  private isReady = false;
  private isEnding = false;
  private isDead = false;
  private whyDead: string | null = null;

  constructor({ entry, modulePath, memoryMb }: ThreadSettings) {
    this.started = new Promise(resolve => (this.onStarted = resolve));
    this.worker = startThread({ entry, modulePath, memoryMb });
    this.worker.on('message', (message: unknown) => this.hear(message));
    // An error overtakes what the thread said before it; its end comes after all of that.
    this.worker.on('error', (error: unknown) => (this.whyDead ??= describeDeath(error)));
    this.worker.on('exit', () => this.die('it ended'));
    this.watch = watchThread({
      memoryMb,
      ping: () => this.say({ kind: 'ping' }),
      residentBytes: () => process.memoryUsage.rss(),
    });
    this.startTimer = setTimeout(() => this.end('its module took too long to load'), startWithinMs);
    this.startTimer.unref();
    this.worker.unref();
  }

  get isUsable(): boolean {
    return !this.isEnding && !this.isDead;
  }

  /** So many handlers were given up on in here that it had better end with the others. */
  get isWorn(): boolean {
    return this.givenUp > maxGivenUp;
  }

  /** Its module is loaded, or was while it lived. */
  get hasLoaded(): boolean {
    return this.isReady;
  }

  get load(): number {
    return this.calls.size + this.reserved;
  }

  /** Counts as one call in here while `wait` runs, so that those who wait spread over the threads. */
  async reserve<Result>(wait: () => Promise<Result>): Promise<Result> {
    this.reserved += 1;
    try {
      return await wait();
    } finally {
      this.reserved -= 1;
    }
  }

  /**
   * Has these run one after the other; see HandlerTurn. Each one's `ended` resolves when its handler has ended or its
   * thread has, with null when it was not begun; `number` names it to `abort` and `giveUp`.
   */
  run(
    calls: readonly (HandlerCall & { readonly services: HandlerServices })[],
    openUntil: number,
  ): readonly { readonly number: number; readonly ended: Promise<CallEnd> }[] {
    const open = this.calls.add(calls.map(({ services }) => services));
    if (this.isDead) {
      this.calls.finishAll(this.describeEnd());
      return open;
    }
    const transfer: ArrayBuffer[] = [];
    const sent = calls.map(({ task, facts }, index): ThreadCall => {
      return { call: open[index]?.number ?? 0, task: copyBody(task, transfer), facts };
    });
    if (this.looking === undefined) this.beginLooking();
    const type = calls[0]?.type ?? '';
    this.worker.postMessage({ kind: 'run', type, calls: sent, openUntil } satisfies ToThread, transfer);
    return open;
  }

  abort(number: number): void {
    if (this.calls.has(number)) this.say({ kind: 'abort', call: number });
  }

  /** The caller waits no longer. The thread ends as soon as nobody waits for anything in it. */
  giveUp(number: number): void {
    if (!this.calls.drop(number)) return;
    this.givenUp += 1;
    if (this.calls.size === 0) this.end('it was left with a handler that does not end');
  }

  async terminate(): Promise<void> {
    this.isEnding = true;
    await this.worker.terminate();
  }

  private end(why: string): void {
    this.whyDead ??= why;
    void this.terminate();
  }

  private say(message: ToThread): void {
    this.worker.postMessage(message);
  }

  private beginLooking(): void {
    this.worker.ref();
    this.watch.reset();
    this.looking ??= setInterval(() => {
      const problem = this.isReady && !this.isEnding ? this.watch.look() : null;
      if (problem !== null) this.end(problem);
    }, lookEveryMs).unref();
  }

  private hear(raw: unknown): void {
    const message = parseFromThread(raw);
    switch (message?.kind) {
      case undefined:
        return;
      case 'ready':
        this.isReady = true;
        clearTimeout(this.startTimer);
        this.watch.reset();
        this.onStarted();
        return;
      case 'unloadable':
        this.end(message.detail);
        return;
      case 'pong':
        this.watch.hear(message.usedBytes);
        return;
      case 'ended':
        this.calls.finish(message.call, message.answer);
        this.noteIdle();
        return;
      case 'left':
        this.calls.leave(message.call);
        this.noteIdle();
        return;
      case 'log': {
        const { call, level, message: text, fields } = message;
        this.calls.servicesOf(call)?.log[level](text.slice(0, longestLogLine), fields);
        return;
      }
      case 'request':
        void this.serve(message);
    }
  }

  private async serve({ call, request, wanted }: Extract<FromThread, { kind: 'request' }>): Promise<void> {
    const reply = await answerRequest(this.calls.servicesOf(call), wanted);
    if (!this.isDead) this.say({ kind: 'response', request, ...reply });
  }

  private noteIdle(): void {
    if (this.calls.size > 0) return;
    clearInterval(this.looking);
    this.looking = undefined;
    this.worker.unref();
    if (this.givenUp > 0) this.end('it was left with a handler that does not end');
  }

  private die(why: string): void {
    this.whyDead ??= why;
    this.isDead = true;
    clearTimeout(this.startTimer);
    clearInterval(this.looking);
    this.calls.finishAll(this.describeEnd());
    this.worker.unref();
    this.onStarted();
  }

  /** Before its module was loaded no handler can be to blame. */
  private describeEnd(): HandlerAnswer {
    if (this.isReady) return { kind: 'crashed', detail: this.whyDead };
    const detail = `RELINK_INTEGRATIONS cannot be loaded: ${this.whyDead ?? 'its thread ended'}`;
    return { kind: 'failed', reason: 'handler_missing', detail, retryable: true, retryAfterMs: null };
  }
}
