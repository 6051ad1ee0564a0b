/** What every command has that talks to a server. */

import type { FieldTable } from './field.js';

/** How a command reaches a server. */
export const CLIENT_FIELDS = {
  url: { kind: 'url', default: 'http://127.0.0.1:7171', doc: 'Address of the server.' },
  apiKey: {
    kind: 'text',
    secret: true,
    default: null,
    doc: 'Key to send. Other users of a machine can read flags: prefer the environment or a file.',
  },
  apiKeyFile: { kind: 'path', default: null, doc: 'File whose first line is the key to send.' },
  timeoutMs: { kind: 'duration', min: 1, default: 30_000, doc: 'How long one request may take.' },
} as const satisfies FieldTable;

export const JSON_FIELD = {
  json: { kind: 'boolean', default: false, doc: 'One JSON object per line instead of text.' },
} as const satisfies FieldTable;
