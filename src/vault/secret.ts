import { inspect } from 'node:util';

/**
 * A value that must not be seen: prints, logs and serialises as `[redacted]`. Only `reveal()` gives it out, so that
 * every place that does can be found by searching for that word.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}
