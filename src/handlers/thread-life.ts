import type { Worker } from 'node:worker_threads';
import { describeDeath } from './describe-death.js';
import type { HandlerAnswer } from './handler-host.js';
import { keepLooking, type Lookout } from './keep-looking.js';
import { startThread, type ThreadSettings } from './start-thread.js';
import { parseFromThread, type FromThread, type ToThread } from './thread-messages.js';

/** For loading the adopter's module. */
const startWithinMs = 30_000;

type OfItself = 'ready' | 'unloadable' | 'pong';

export interface LifeOptions extends ThreadSettings {
  /** Nothing runs in the thread. */
  readonly isIdle: () => boolean;
  /** What the thread says of its calls. */
  readonly onMessage: (message: Exclude<FromThread, { kind: OfItself }>) => void;
  readonly onDead: () => void;
}

/** A thread from its start to its death: whether it has loaded, what it uses, and why it had to end. */
export class ThreadLife {
  /** Resolves when the module is loaded, or the thread is dead. */
  readonly started: Promise<void>;
  private readonly worker: Worker;
  private readonly startTimer: NodeJS.Timeout;
  private lookout: Lookout | undefined;
  private onStarted: () => void = () => undefined;
  private isEnding = false;
  private whyDead: string | null = null;
  private loaded = false;
  private dead = false;

  constructor(private readonly options: LifeOptions) {
    this.started = new Promise(resolve => (this.onStarted = resolve));
    this.worker = startThread(options);
    this.worker.on('message', (message: unknown) => this.hear(message));
    // An error overtakes what the thread said before it; its end comes after all of that.
    this.worker.on('error', (error: unknown) => (this.whyDead ??= describeDeath(error)));
    this.worker.on('exit', () => this.die());
    this.startTimer = setTimeout(() => this.end('its module took too long to load'), startWithinMs);
    this.startTimer.unref();
    this.worker.unref();
  }

  /** It takes messages: it is neither dead nor ending. */
  get isUsable(): boolean {
    return !this.isEnding && !this.dead;
  }

  /** Its module is loaded, or was while it lived. */
  get isLoaded(): boolean {
    return this.loaded;
  }

  get isDead(): boolean {
    return this.dead;
  }

  say(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    if (!this.dead) this.worker.postMessage(message, transfer);
  }

  /** Resolves once its event loop has answered, or it ends. */
  async untilAwake(): Promise<void> {
    if (this.isUsable) await this.lookout?.untilAwake();
  }

  /** Whether somebody waits for something in it, which keeps the process alive. */
  setAwaited(isAwaited: boolean): void {
    if (isAwaited) this.worker.ref();
    else this.worker.unref();
  }

  /** Its last call has ended. */
  noteIdle(): void {
    this.lookout?.noteIdle();
  }

  end(why: string): void {
    this.whyDead ??= why;
    void this.terminate();
  }

  async terminate(): Promise<void> {
    this.isEnding = true;
    this.lookout?.stop();
    await this.worker.terminate();
  }

  /** How the calls that were in it ended. Before its module was loaded no handler can be to blame. */
  describeEnd(): HandlerAnswer {
    if (this.loaded) return { kind: 'crashed', detail: this.whyDead };
    const detail = `RELINK_INTEGRATIONS cannot be loaded: ${this.whyDead ?? 'its thread ended'}`;
    return { kind: 'failed', reason: 'handler_missing', detail, retryable: true, retryAfterMs: null };
  }

  private hear(raw: unknown): void {
    const message = parseFromThread(raw);
    if (message === null) return;
    switch (message.kind) {
      case 'ready':
        this.noteLoaded();
        return;
      case 'unloadable':
        this.end(message.detail);
        return;
      case 'pong':
        this.lookout?.hear(message.usedBytes);
        return;
      case 'ended':
      case 'left':
      case 'log':
      case 'request':
        this.options.onMessage(message);
    }
  }

  private noteLoaded(): void {
    // The adopter's code may say it again, and one that is ending is past it.
    if (this.loaded || this.isEnding) return;
    this.loaded = true;
    clearTimeout(this.startTimer);
    this.lookout = keepLooking({
      memoryMb: this.options.memoryMb,
      ping: () => this.say({ kind: 'ping' }),
      isIdle: this.options.isIdle,
      onProblem: why => this.end(why),
    });
    this.onStarted();
  }

  private die(): void {
    this.whyDead ??= 'it ended';
    this.dead = true;
    clearTimeout(this.startTimer);
    this.lookout?.stop();
    this.options.onDead();
    this.worker.unref();
    this.onStarted();
  }
}
