/** The settings of `skein probe`: where the server of this machine listens, in the words of the server's own settings. */

import type { FieldTable } from './field.js';

export const PROBE_FIELDS = {
  config: { kind: 'path', default: null, doc: 'The configuration file of the server.' },
  host: {
    kind: 'text',
    default: '127.0.0.1',
    doc: 'Address that the server listens on; 0.0.0.0 and :: are asked on this machine.',
  },
  port: { kind: 'integer', unit: '', min: 1, max: 65_535, default: 7171, doc: 'Port that it listens on.' },
  tlsCertFile: { kind: 'path', default: null, doc: 'Where the server has a certificate, https is asked; it is not verified.' },
  timeoutMs: { kind: 'duration', min: 1, default: 2_500, doc: 'How long the answer may take.' },
} as const satisfies FieldTable;

/** What is read from the file of the server. */
export const PROBE_FILE_KEYS: readonly string[] = ['host', 'port', 'tls_cert_file'];
