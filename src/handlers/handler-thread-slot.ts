import { Worker } from 'node:worker_threads';
import { answerRequest } from './answer-request.js';
import { copyBody } from './copy-body.js';
import { describeDeath } from './describe-death.js';
import type { HandlerAnswer, HandlerCall, HandlerServices } from './handler-host.js';
import { parseFromThread, type FromThread, type ThreadData, type ToThread } from './thread-messages.js';
import { freeHeapLimits, heapCeilingMb, lookEveryMs, watchThread, type ThreadWatch } from './watch-thread.js';

export interface ThreadEntry {
  readonly path: string;
  readonly argv: readonly string[];
}

export interface ThreadSettings {
  readonly entry: ThreadEntry;
  readonly modulePath: string;
  readonly memoryMb: number;
}

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
  private readonly calls = new Map<number, { services: HandlerServices; end: (answer: HandlerAnswer) => void }>();
  /** Handlers whose callers got their answer without them. They get nothing more, but may still run. */
  private givenUp = 0;
  private nextCall = 1;
  private looking: NodeJS.Timeout | undefined;
  private onStarted: () => void = () => undefined;
  private isReady = false;
  private isEnding = false;
  private isDead = false;
  private whyDead: string | null = null;

  constructor({ entry, modulePath, memoryMb }: ThreadSettings) {
    this.started = new Promise(resolve => (this.onStarted = resolve));
    const data: ThreadData = { modulePath, memoryBytes: memoryMb * 1024 * 1024 };
    freeHeapLimits();
    this.worker = new Worker(entry.path, {
      argv: [...entry.argv],
      workerData: data,
      // Its own heap, whatever the process's flags say; none of the service's settings; what it prints is no log of ours.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapCeilingMb(memoryMb), maxYoungGenerationSizeMb: 8 },
      env: {},
      stdout: true,
      stderr: true,
    });
    this.worker.stdout.resume();
    this.worker.stderr.resume();
    this.worker.on('message', (message: unknown) => this.hear(message));
    this.worker.on('error', (error: unknown) => this.die(describeDeath(error)));
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

  get load(): number {
    return this.calls.size;
  }

  /** `ended` resolves when the handler has ended, or its thread has; `number` names the call to `abort` and `giveUp`. */
  run(
    call: HandlerCall,
    services: HandlerServices,
  ): { readonly number: number; readonly ended: Promise<HandlerAnswer> } {
    const number = this.nextCall++;
    const ended = new Promise<HandlerAnswer>(resolve => this.calls.set(number, { services, end: resolve }));
    if (this.calls.size === 1) this.beginLooking();
    const { task, transfer } = copyBody(call.task);
    if (this.isDead) this.finish(number, this.describeEnd());
    else this.worker.postMessage({ kind: 'run', call: number, type: call.type, task, facts: call.facts }, transfer);
    return { number, ended };
  }

  abort(number: number): void {
    if (this.calls.has(number)) this.say({ kind: 'abort', call: number });
  }

  /** The caller waits no longer. The thread ends as soon as nobody waits for anything in it. */
  giveUp(number: number): void {
    if (!this.calls.delete(number)) return;
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
        this.finish(message.call, message.answer);
        return;
      case 'log': {
        const { call, level, message: text, fields } = message;
        this.calls.get(call)?.services.log[level](text.slice(0, longestLogLine), fields);
        return;
      }
      case 'request':
        void this.serve(message);
    }
  }

  private async serve({ call, request, wanted }: Extract<FromThread, { kind: 'request' }>): Promise<void> {
    const reply = await answerRequest(this.calls.get(call)?.services, wanted);
    if (!this.isDead) this.say({ kind: 'response', request, ...reply });
  }

  private finish(number: number, answer: HandlerAnswer): void {
    const call = this.calls.get(number);
    this.calls.delete(number);
    if (this.calls.size === 0) {
      clearInterval(this.looking);
      this.looking = undefined;
      this.worker.unref();
      if (this.givenUp > 0) this.end('it was left with a handler that does not end');
    }
    call?.end(answer);
  }

  private die(why: string): void {
    this.whyDead ??= why;
    this.isDead = true;
    clearTimeout(this.startTimer);
    clearInterval(this.looking);
    for (const number of [...this.calls.keys()]) this.finish(number, this.describeEnd());
    this.onStarted();
  }

  /** Before its module was loaded no handler can be to blame. */
  private describeEnd(): HandlerAnswer {
    if (this.isReady) return { kind: 'crashed', detail: this.whyDead };
    const detail = `RELINK_INTEGRATIONS cannot be loaded: ${this.whyDead ?? 'its thread ended'}`;
    return { kind: 'failed', reason: 'handler_missing', detail, retryable: true, retryAfterMs: null };
  }
}
