import type { HandlerAnswer, HandlerServices } from './handler-host.js';

/** Null: the call was not begun. */
export type CallEnd = HandlerAnswer | null;

interface OpenCall {
  readonly services: HandlerServices;
  readonly end: (answer: CallEnd) => void;
  /** The call behind it in its turn. */
  readonly next: number | null;
}

/** The calls that a thread has not ended yet. Those of one turn run in order, and one that is not done ends its turn. */
export class OpenCalls {
  private readonly calls = new Map<number, OpenCall>();
  private nextNumber = 1;

  get size(): number {
    return this.calls.size;
  }

  /** Numbers one turn's calls, in order. */
  add(services: readonly HandlerServices[]): readonly { readonly number: number; readonly ended: Promise<CallEnd> }[] {
    return services.map((own, index) => {
      const number = this.nextNumber++;
      const next = index + 1 < services.length ? number + 1 : null;
      const ended = new Promise<CallEnd>(resolve => this.calls.set(number, { services: own, end: resolve, next }));
      return { number, ended };
    });
  }

  has(number: number): boolean {
    return this.calls.has(number);
  }

  servicesOf(number: number): HandlerServices | undefined {
    return this.calls.get(number)?.services;
  }

  /** Ends a call and, when it was not done, leaves those behind it, which no thread begins then. */
  finish(number: number, answer: HandlerAnswer): void {
    const call = this.take(number);
    if (call === undefined) return;
    if (answer.kind !== 'done') this.leave(call.next);
    call.end(answer);
  }

  /** Forgets a call that nobody waits for any more, and leaves those behind it. False: it had ended. */
  drop(number: number): boolean {
    const call = this.take(number);
    this.leave(call?.next ?? null);
    return call !== undefined;
  }

  /** Ends this call and those behind it as not begun. */
  leave(first: number | null): void {
    for (let number = first; number !== null; ) {
      const call = this.take(number);
      call?.end(null);
      number = call?.next ?? null;
    }
  }

  /** The thread is dead: the first open call of each turn was in its hands. */
  finishAll(answer: HandlerAnswer): void {
    for (const number of [...this.calls.keys()]) this.finish(number, answer);
  }

  private take(number: number): OpenCall | undefined {
    const call = this.calls.get(number);
    this.calls.delete(number);
    return call;
  }
}
