/** Files that hold keys. That of the API: its first line is the key, the rest is for people. */

import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../model/errors.js';
import { Secret } from './secret.js';

export const API_KEY_LENGTH_MIN = 16;
const WORLD_READABLE = 0o004;
/** Where Docker and Kubernetes put the secrets of a container. */
const CONTAINER_SECRETS = /^(?:\/var)?\/run\/secrets\//;
const SENDABLE = /^[\x21-\x7e]+$/;

export interface ApiKeyReading {
  readonly key: Secret;
  readonly warnings: readonly string[];
}

/** @throws Error saying what is wrong with the file; the key itself is never part of a message */
export function readApiKeyFile(path: string): ApiKeyReading {
  const { lines, warnings } = readKeyLines(path);
  const key = lines[0] ?? '';
  if (key.length < API_KEY_LENGTH_MIN) {
    throw new Error(
      `the first line of the key file ${path} has ${key.length} characters; a key has at least ${API_KEY_LENGTH_MIN}`,
    );
  }
  if (!SENDABLE.test(key)) {
    throw new Error(
      `the first line of the key file ${path} holds characters that a header cannot carry; use printable ASCII without spaces`,
    );
  }
  return { key: new Secret(key), warnings };
}

export interface KeyReading {
  /** Trimmed. */
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
}

/** Any file with keys in it. @throws Error when it cannot be read */
export function readKeyLines(path: string): KeyReading {
  let text: string;
  let mode: number;
  try {
    text = readFileSync(path, 'utf8');
    mode = statSync(path).mode;
  } catch (error) {
    throw new Error(`the key file ${path} cannot be read: ${messageOf(error)}`);
  }
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trim());
  return { lines, warnings: openFileWarnings(path, mode) };
}

/** What should be said about who can read a file with keys in it. In a container nobody else is there to read its secrets, and they are mounted
 *  with modes that its user needs. */
export function openFileWarnings(path: string, mode: number): string[] {
  const open = process.platform !== 'win32' && (mode & WORLD_READABLE) !== 0;
  if (!open || CONTAINER_SECRETS.test(path)) return [];
  return [`every user of this machine can read the key file ${path}: chmod 600 it`];
}
