/** A small S3-compatible store for tests: objects, ranges, listing in pages, uploads in parts; every request must be signed. A test may
 *  make any request fail, hang, or break off.
 *
 *  Held to the API reference of S3 where the target relies on it (codes, least size of parts, ranges of empty objects, order of keys).
 *  Must not know: backups. */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { signatureProblem } from './s3-signature.js';
import type { TestContext } from './suite.js';

export interface S3Request {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

/** What happens instead of an answer: an error · nothing, for ever · the connection breaks · it breaks behind half of the body. */
export type S3Fault = { readonly status: number; readonly code: string } | 'hang' | 'cut' | 'cut_body' | null;

interface StoredBytes {
  readonly bytes: Buffer;
  readonly tag: string;
  readonly modified: Date;
}

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly key: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly objects: Map<string, StoredBytes>;
  readonly uploads: Map<string, { readonly key: string; readonly begun: Date; readonly parts: Map<number, Buffer> }>;
  readonly requests: S3Request[];
  /** Least size of every part but the last. */
  partBytesMin: number;
  /** Keys in one page of a listing. */
  pageKeys: number;
  /** Cuts lists off and does not say how they go on. */
  forgetsTokens: boolean;
  /** What happens to a request. */
  fault: (request: S3Request) => S3Fault;
}

class Refused extends Error {
  readonly status: number;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
  }
}

export async function startS3(t: Pick<TestContext, 'after'>): Promise<S3Server> {
  const http = createServer();
  const state: S3Server = {
    endpoint: '',
    bucket: 'test-bucket',
    key: { accessKeyId: 'TEST-KEY-ID', secretAccessKey: 'test/secret+key' },
    objects: new Map(),
    uploads: new Map(),
    requests: [],
    partBytesMin: 5 * 2 ** 20,
    pageKeys: 1_000,
    forgetsTokens: false,
    fault: () => null,
  };
  http.on('request', (request, response) => {
    answer(state, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  });
  return Object.assign(state, { endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
}

async function answer(state: S3Server, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? '', 'http://store');
  const [, bucket = '', ...segments] = decodeURIComponent(url.pathname).split('/');
  const body = await buffer(incoming);
  const request = { method: incoming.method ?? '', key: segments.join('/'), query: url.searchParams, body };
  state.requests.push(request);
  try {
    const problem = signatureProblem(incoming, body, state.key);
    if (problem !== null) throw new Refused(403, problem);
    if (bucket !== state.bucket) throw new Refused(404, 'NoSuchBucket');
    const fault = state.fault(request);
    if (fault === 'hang') return;
    if (fault === 'cut') return void response.destroy();
    if (fault !== null && fault !== 'cut_body') throw new Refused(fault.status, fault.code);
    const { status = 200, headers = {}, content = Buffer.alloc(0) } = handle(state, request, incoming.headers.range);
    response.writeHead(status, { 'content-length': content.length, ...headers });
    if (fault === 'cut_body') response.write(content.subarray(0, content.length / 2), () => response.destroy());
    else response.end(content);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const xml = `<?xml version="1.0"?><Error><Code>${error.message}</Code><Message>test says ${error.message}</Message></Error>`;
    response.writeHead(error.status, { 'content-type': 'application/xml' }).end(xml);
  }
}

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly content?: Buffer;
}

function handle(state: S3Server, { method, key, query, body }: S3Request, range: string | undefined): Reply {
  const uploadId = query.get('uploadId');
  if (key === '' && method === 'GET') return query.has('uploads') ? listUploads(state, query) : listObjects(state, query);
  if (method === 'POST' && query.has('uploads')) return beginUpload(state, key);
  if (uploadId !== null) return ofUpload(state, { method, uploadId, number: Number(query.get('partNumber')), body });
  if (method === 'PUT') return { headers: { etag: store(state, key, body) } };
  if (method === 'DELETE') {
    state.objects.delete(key);
    return { status: 204 };
  }
  if (method === 'GET') return read(state, key, range);
  throw new Refused(405, 'MethodNotAllowed');
}

function store({ objects }: S3Server, key: string, bytes: Buffer): string {
  const tag = `"${createHash('md5').update(bytes).digest('hex')}"`;
  objects.set(key, { bytes, tag, modified: new Date() });
  return tag;
}

function read({ objects }: S3Server, key: string, range: string | undefined): Reply {
  const found = objects.get(key);
  if (found === undefined) throw new Refused(404, 'NoSuchKey');
  const { bytes, tag } = found;
  const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  if (from === '') return { headers: { etag: tag }, content: bytes };
  if (Number(from) >= bytes.length) throw new Refused(416, 'InvalidRange');
  const content = bytes.subarray(Number(from), Number(to) + 1);
  const last = Number(from) + content.length - 1;
  return { status: 206, headers: { etag: tag, 'content-range': `bytes ${from}-${last}/${bytes.length}` }, content };
}

function listObjects({ objects, pageKeys, forgetsTokens }: S3Server, query: URLSearchParams): Reply {
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? '';
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(prefix) && key > after)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const page = keys.slice(0, Math.min(pageKeys, Number(query.get('max-keys') ?? 1_000)));
  const contents = page.map((key) => {
    const { bytes, tag, modified } = objects.get(key) ?? { bytes: Buffer.alloc(0), tag: '', modified: new Date(0) };
    return `<Contents><Key>${key}</Key><Size>${bytes.length}</Size><ETag>${tag}</ETag><LastModified>${modified.toISOString()}</LastModified></Contents>`;
  });
  const more = page.length < keys.length ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  const told = forgetsTokens ? '' : more;
  return xml(`<ListBucketResult><IsTruncated>${more !== ''}</IsTruncated>${told}${contents.join('')}</ListBucketResult>`);
}

function beginUpload({ uploads }: S3Server, key: string): Reply {
  const id = `upload-${uploads.size + 1}-${key.length}`;
  uploads.set(id, { key, begun: new Date(), parts: new Map() });
  return xml(`<InitiateMultipartUploadResult><Key>${key}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
}

function ofUpload(
  state: S3Server,
  { method, uploadId, number, body }: { method: string; uploadId: string; number: number; body: Buffer },
): Reply {
  const upload = state.uploads.get(uploadId);
  if (upload === undefined) throw new Refused(404, 'NoSuchUpload');
  if (method === 'PUT') {
    upload.parts.set(number, body);
    return { headers: { etag: `"part-${number}-${body.length}"` } };
  }
  if (method === 'POST') {
    const numbers = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, found]) => Number(found));
    const parts = numbers.map((found) => upload.parts.get(found));
    if (parts.length === 0 || parts.includes(undefined) || numbers.some((found, i) => found !== i + 1))
      throw new Refused(400, 'InvalidPart');
    if (parts.slice(0, -1).some((part) => (part?.length ?? 0) < state.partBytesMin)) throw new Refused(400, 'EntityTooSmall');
    store(state, upload.key, Buffer.concat(parts.flatMap((part) => part ?? [])));
  }
  state.uploads.delete(uploadId);
  return method === 'POST'
    ? xml('<CompleteMultipartUploadResult><ETag>"whole-2"</ETag></CompleteMultipartUploadResult>')
    : { status: 204 };
}

function listUploads({ uploads }: S3Server, query: URLSearchParams): Reply {
  const found = [...uploads].filter(([, { key }]) => key.startsWith(query.get('prefix') ?? ''));
  const rows = found.map(
    ([id, { key, begun }]) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begun.toISOString()}</Initiated></Upload>`,
  );
  return xml(`<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${rows.join('')}</ListMultipartUploadsResult>`);
}

function xml(text: string): Reply {
  return {
    headers: { 'content-type': 'application/xml' },
    content: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${text}`),
  };
}
