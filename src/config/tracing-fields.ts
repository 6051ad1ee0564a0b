/** The settings of traces, as `skein serve` reads them; what they come to is in tracing-settings.ts. */

import type { FieldTable } from './field.js';

export const TRACING_FIELDS = {
  traceEndpoint: {
    kind: 'url',
    default: null,
    doc: 'Where spans are sent, by OTLP over HTTP, such as http://127.0.0.1:4318; /v1/traces is added where there is no path. Without it nothing is traced, and nothing loaded.',
  },
  traceSampleShare: {
    kind: 'share',
    default: 0.1,
    doc: 'Share of the requests that are traced. One whose caller traces it (traceparent, sampled) is traced too, and one whose caller does not is not.',
  },
  traceService: { kind: 'text', default: 'skein', doc: 'Name of the service that spans are of (service.name).' },
  traceHeadersFile: {
    kind: 'path',
    default: null,
    doc: 'File with headers to send with spans, such as an authorization: `name: value`, one a line.',
  },
} as const satisfies FieldTable;
