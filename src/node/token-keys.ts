/** The keys of JSON Web Tokens, read again while the node runs: when their file changes, and when it is asked. A file that cannot be used is
 *  refused and logged, and the keys before stay. Must not know: HTTP, tokens. */

import { readTokenKeys } from '../config/token-keys.js';
import type { TokenSettings } from '../config/token-settings.js';
import type { TokenRules } from '../http/http.js';
import { messageOf } from '../model/errors.js';
import type { Log } from '../model/log.js';
import { WatchedFiles } from './watched-files.js';

export interface TokenKeysParts {
  readonly settings: TokenSettings;
  readonly log: Log;
  readonly lookMs?: number;
}

export class TokenKeys {
  /** Those of the moment when it is called; null: tokens are not taken. */
  readonly rules: (() => TokenRules) | null;
  readonly #parts: TokenKeysParts;
  readonly #files: WatchedFiles;
  #rules: TokenRules;

  constructor(parts: TokenKeysParts) {
    this.#parts = parts;
    const { values, keys } = parts.settings;
    this.#rules = rulesOf(parts.settings, keys ?? []);
    this.rules = keys === null ? null : () => this.#rules;
    const paths = [values.tokenSecretFile, values.tokenPublicKeyFile, values.tokenJwksFile];
    this.#files = new WatchedFiles({ paths, lookMs: parts.lookMs, read: () => this.#read() });
  }

  start(): void {
    this.#files.start();
  }

  stop(): void {
    this.#files.stop();
  }

  /** Reads the file again, changed or not; resolves when that is done. */
  reload(): Promise<void> {
    return this.rules === null ? Promise.resolve() : this.#files.reload();
  }

  #read(): void {
    const { settings, log } = this.#parts;
    try {
      const { keys } = readTokenKeys(settings.values);
      this.#rules = rulesOf(settings, keys);
      log.info('token_keys_reloaded', {
        keys: keys.map(({ algorithm, id }) => (id === null ? algorithm : `${algorithm} ${id}`)),
      });
    } catch (error) {
      log.error('token_keys_refused', { reason: messageOf(error), in_use: 'the ones before' });
    }
  }
}

function rulesOf({ values, rateLimit }: TokenSettings, keys: TokenRules['keys']): TokenRules {
  return {
    keys,
    issuer: values.tokenIssuer,
    audience: values.tokenAudience,
    roleClaim: values.tokenRoleClaim,
    collectionsClaim: values.tokenCollectionsClaim,
    clockToleranceMs: values.tokenClockToleranceMs,
    lifeMsMax: values.tokenLifeMsMax,
    rateLimit,
  };
}
