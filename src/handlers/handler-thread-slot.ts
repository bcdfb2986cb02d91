import { answerRequest } from './answer-request.js';
import { copyBody } from './copy-body.js';
import type { HandlerCall, HandlerServices } from './handler-host.js';
import { OpenCalls, type CallEnd } from './open-calls.js';
import type { ThreadSettings } from './start-thread.js';
import { ThreadLife, type LifeOptions } from './thread-life.js';
import type { FromThread, ThreadCall } from './thread-messages.js';

const longestLogLine = 500;
/** More given-up handlers than this in one thread, and it takes no new calls. */
const maxGivenUp = 5;

/**
 * One thread and the calls in it. When it dies, for whatever reason, every call in it ends as `crashed`; the host makes
 * another one for the next call. Once it is ending it takes no more calls.
 */
export class HandlerThread {
  private readonly life: ThreadLife;
  private readonly calls = new OpenCalls();
  /** Handlers whose callers got their answer without them. They get nothing more, but may still run. */
  private givenUp = 0;
  private reserved = 0;
  private hasServed = false;

  constructor(settings: ThreadSettings) {
    this.life = new ThreadLife({
      ...settings,
      isIdle: () => this.calls.size === 0,
      onMessage: message => this.hear(message),
      onDead: () => this.calls.finishAll(this.life.describeEnd()),
    });
  }

  /** Resolves when the module is loaded, or the thread is dead. */
  get started(): Promise<void> {
    return this.life.started;
  }

  get isUsable(): boolean {
    return this.life.isUsable;
  }

  /** So many handlers were given up on in here that it had better end with the others. */
  get isWorn(): boolean {
    return this.givenUp > maxGivenUp;
  }

  /** Its module is loaded, or was while it lived. */
  get hasLoaded(): boolean {
    return this.life.isLoaded;
  }

  /**
   * There is nothing to wait for before a call is put in. A thread in which nothing runs has to answer first: what an
   * earlier handler left may block it, and the call would be taken for the culprit. A new one need not, so that every
   * thread serves one call at least and a module that blocks by itself is found out.
   */
  get isReady(): boolean {
    if (!this.life.isUsable) return this.life.isDead || this.life.isLoaded;
    return this.life.isLoaded && (this.calls.size > 0 || !this.hasServed);
  }

  /** Until it is loaded and has answered, or is dead or ending. */
  async untilReady(): Promise<void> {
    await this.life.started;
    if (!this.isReady) await this.life.untilAwake();
  }

  get load(): number {
    return this.calls.size + this.reserved;
  }

  /** Counts as one call in here while `wait` runs, so that those who wait spread over the threads. */
  async reserve<Result>(wait: () => Promise<Result>): Promise<Result> {
    this.reserved += 1;
    this.life.setAwaited(true);
    try {
      return await wait();
    } finally {
      this.reserved -= 1;
      if (this.load === 0) this.life.setAwaited(false);
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
    if (this.life.isDead) {
      this.calls.finishAll(this.life.describeEnd());
      return open;
    }
    const transfer: ArrayBuffer[] = [];
    const sent = calls.map(({ task, facts }, index): ThreadCall => {
      return { call: open[index]?.number ?? 0, task: copyBody(task, transfer), facts };
    });
    this.life.setAwaited(true);
    this.life.say({ kind: 'run', type: calls[0]?.type ?? '', calls: sent, openUntil }, transfer);
    return open;
  }

  abort(number: number): void {
    if (this.calls.has(number)) this.life.say({ kind: 'abort', call: number });
  }

  /** The caller waits no longer. The thread ends as soon as nobody waits for anything in it. */
  giveUp(number: number): void {
    if (!this.calls.drop(number)) return;
    this.givenUp += 1;
    if (this.calls.size === 0) this.endWithGivenUp();
  }

  async terminate(): Promise<void> {
    await this.life.terminate();
  }

  private hear(message: Parameters<LifeOptions['onMessage']>[0]): void {
    switch (message.kind) {
      case 'ended':
        this.hasServed = true;
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
    this.life.say({ kind: 'response', request, ...reply });
  }

  private noteIdle(): void {
    if (this.calls.size > 0) return;
    if (this.reserved === 0) this.life.setAwaited(false);
    if (this.givenUp > 0) this.endWithGivenUp();
    else this.life.noteIdle();
  }

  private endWithGivenUp(): void {
    this.life.end('it was left with a handler that does not end');
  }
}
