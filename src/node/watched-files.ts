/** Files that are read again when they change, or when it is asked. By their stamps every few seconds, because watching files fails where
 *  they are mounted. One reading at a time. Must not know: what is in them. */

import { stat } from 'node:fs/promises';

const LOOK_MS = 5_000;

export interface WatchedFilesParts {
  readonly paths: readonly (string | null)[];
  /** How often the files are looked at; left out: every 5 s. */
  readonly lookMs?: number | undefined;
  /** Reads them; must not throw. */
  read(): void;
}

export class WatchedFiles {
  readonly #paths: readonly string[];
  readonly #parts: WatchedFilesParts;
  #seen: string | null = null;
  #looking: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: WatchedFilesParts) {
    this.#parts = parts;
    this.#paths = parts.paths.filter((path) => path !== null);
  }

  /** False: there is nothing to look at. */
  get some(): boolean {
    return this.#paths.length > 0;
  }

  /** Looks at them from now on. */
  start(): void {
    if (!this.some) return;
    this.#look();
    this.#timer = setInterval(() => this.#look(), this.#parts.lookMs ?? LOOK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Reads them, changed or not; resolves when that is done. */
  reload(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#read());
    return this.#looking;
  }

  #look(): void {
    this.#looking = this.#looking.then(async () => {
      const found = await this.#fingerprint();
      if (this.#seen === null || found === this.#seen) this.#seen = found;
      else await this.#read();
    });
  }

  async #read(): Promise<void> {
    // Noted first, so that files which change while they are read are read once more.
    this.#seen = await this.#fingerprint();
    this.#parts.read();
  }

  /** Follows links, as the files of mounted secrets are. A file that is not there for a moment counts as another one. */
  async #fingerprint(): Promise<string> {
    const stats = await Promise.all(this.#paths.map((path) => stat(path).catch(() => null)));
    return stats.map((found) => (found === null ? 'none' : `${found.ino}:${found.size}:${found.mtimeMs}`)).join(' ');
  }
}
