/** The settings of traces as a node uses them: the whole address, the headers read.
 *
 *  Invariant: no value of a header is part of a message or of anything printed. */

import { messageOf } from '../model/errors.js';
import { readKeyLines } from './api-key.js';
import type { ValuesOf } from './field.js';
import { Secret } from './secret.js';
import type { TRACING_FIELDS } from './tracing-fields.js';

export type TracingValues = ValuesOf<typeof TRACING_FIELDS>;

export interface TracingSettings {
  /** Path included; null: nothing is traced. */
  readonly endpoint: string | null;
  readonly sampleShare: number;
  readonly service: string;
  readonly headers: readonly { readonly name: string; readonly value: Secret }[];
  /** As they were given, to be shown. */
  readonly values: TracingValues;
}

export interface TracingReading {
  readonly settings: TracingSettings;
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

const DEFAULT_PATH = '/v1/traces';
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/;

/** Reads the file that the settings name. */
export function readTracing(values: TracingValues): TracingReading {
  const { traceEndpoint, traceHeadersFile, traceSampleShare, traceService } = values;
  const problems: string[] = [];
  const warnings: string[] = [];
  if (traceHeadersFile !== null && traceEndpoint === null) problems.push('trace_headers_file is given, and no trace_endpoint');
  let headers: TracingSettings['headers'] = [];
  try {
    const reading = traceHeadersFile === null ? null : readHeaders(traceHeadersFile);
    headers = reading?.headers ?? [];
    warnings.push(...(reading?.warnings ?? []));
  } catch (error) {
    problems.push(messageOf(error));
  }
  const endpoint = traceEndpoint === null ? null : wholeAddress(traceEndpoint);
  const settings = { endpoint, sampleShare: traceSampleShare, service: traceService, headers, values };
  return { settings: Object.freeze(settings), warnings, problems };
}

/** @throws Error naming the line that is no header, without what stands in it */
function readHeaders(path: string): { headers: TracingSettings['headers']; warnings: readonly string[] } {
  const { lines, warnings } = readKeyLines(path);
  const headers: { name: string; value: Secret }[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const [, name, value] = HEADER.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new Error(`line ${index + 1} of ${path} is no header: it must be \`name: value\``);
    headers.push({ name, value: new Secret(value) });
  }
  return { headers, warnings };
}

function wholeAddress(address: string): string {
  const url = new URL(address);
  if (url.pathname === '/') url.pathname = DEFAULT_PATH;
  return url.href;
}
