/** A collector of traces as tests need it: takes OTLP over HTTP in its JSON form and keeps the spans. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  /** 2: error. */
  readonly statusCode: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly traceState: string;
}

export interface TraceCollector {
  readonly url: string;
  readonly spans: CollectedSpan[];
  readonly requests: { readonly path: string; readonly headers: Readonly<Record<string, unknown>> }[];
  /** What requests are answered with from now on; null: nothing, ever. */
  status: number | null;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface WireSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number };
}
interface WireBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

export async function startTraceCollector(t: { after(cleanup: () => unknown): void }): Promise<TraceCollector> {
  const hanging: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      collector.requests.push({ path: request.url ?? '', headers: request.headers });
      if (collector.status === null) {
        hanging.push(response);
        return;
      }
      if (collector.status === 200) collector.spans.push(...spansOf(JSON.parse(Buffer.concat(parts).toString()) as WireBody));
      response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    // A refusal: whoever hears nothing would try again for seconds.
    for (const response of hanging) response.writeHead(400).end();
    return new Promise((resolve) => {
      server.close(resolve);
      server.closeIdleConnections();
    });
  });
  const { port } = server.address() as AddressInfo;
  const collector: TraceCollector = { url: `http://127.0.0.1:${port}`, spans: [], requests: [], status: 200 };
  return collector;
}

function spansOf({ resourceSpans }: WireBody): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => collected(span, plain(resource.attributes)))),
  );
}

function collected(span: WireSpan, resource: CollectedSpan['resource']): CollectedSpan {
  const {
    name,
    traceId,
    spanId,
    parentSpanId = '',
    traceState = '',
    kind,
    startTimeUnixNano,
    endTimeUnixNano,
    attributes,
    status,
  } = span;
  const times = { startMs: Number(startTimeUnixNano) / 1e6, endMs: Number(endTimeUnixNano) / 1e6 };
  const rest = { statusCode: status.code ?? 0, attributes: plain(attributes), resource, traceState };
  return { name, traceId, spanId, parentSpanId, kind, ...times, ...rest };
}

function plain(attributes: readonly Attribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
