/** A bucket as backup target: parts, ranges, and what failing stores, broken connections and wrong keys come to. */

import * as assert from 'uvu/assert';
import { type BackupTarget, mayPass, ObjectNotFound } from '../../src/backup/target.js';
import { SkeinError } from '../../src/model/errors.js';
import { bodyOf, brokenBody, bytesOf, collected, keysOf } from '../support/backup-targets.js';
import { Random } from '../support/random.js';
import { openBucketOf, openTestBucket } from '../support/s3-bucket.js';
import type { S3Fault, S3Request, S3Server } from '../support/s3-server.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('backup/s3-target');
const MIB = 2 ** 20;
const HELLO = Buffer.from('hello');

async function failureOf(call: Promise<unknown>): Promise<SkeinError> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SkeinError, String(error));
  assert.is((error as SkeinError).type, 'BackupTargetFailed');
  return error as SkeinError;
}

const reasonOf = async (call: Promise<unknown>): Promise<unknown> => (await failureOf(call)).details['reason'];

interface Which {
  readonly from?: number;
  readonly to?: number;
  readonly when?: (request: S3Request) => boolean;
}

/** The fault, for the n-th requests from now on that the test is about. */
function failing(store: S3Server, fault: S3Fault, { from = 1, to = Number.POSITIVE_INFINITY, when }: Which = {}): void {
  let seen = 0;
  store.fault = (request) => {
    if (when?.(request) === false) return null;
    seen += 1;
    return seen >= from && seen <= to ? fault : null;
  };
}

/** A target that gives up soon: on a machine that stands still already its opening. */
const openImpatient = (store: S3Server, stallMs: number): Promise<BackupTarget> =>
  waitUntil(() => openBucketOf(store, { stallMs }).catch(() => null), { what: 'the bucket to be opened' });

test('what fits into one part is one request; what does not is sent in equal parts', async (t) => {
  const { store, target } = await openTestBucket(t, { partBytes: 5 * MIB });
  const bytes = bytesOf(new Random(t.seed()), 12 * MIB);
  store.requests.length = 0;
  await target.put('small', bodyOf(bytes.subarray(0, 5 * MIB)));
  assert.equal(
    store.requests.map(({ method, key }) => `${method} ${key}`),
    ['PUT some/prefix/small'],
  );
  store.requests.length = 0;
  const pieces = Array.from({ length: 12 }, (_, i) => bytes.subarray(i * MIB, (i + 1) * MIB));
  assert.equal(await target.put('large', bodyOf(...pieces)), { bytes: 12 * MIB });
  const parts = store.requests.filter(({ query }) => query.has('partNumber')).map(({ body }) => body.length / MIB);
  assert.equal(parts, [5, 5, 2]);
  assert.is(store.uploads.size, 0);
  assert.is((await collected(target.get('large'))).equals(bytes), true);
});

test('a failure that passes is not seen: an error, a broken connection, an answer that breaks off', async (t) => {
  const { store, target } = await openTestBucket(t);
  const bytes = bytesOf(new Random(t.seed()), 200_000);
  for (const fault of [{ status: 500, code: 'InternalError' }, 'cut'] as const) {
    for (const call of [
      () => target.put('small', bodyOf(HELLO)),
      () => target.put('large', bodyOf(bytes)),
      async () => assert.is((await collected(target.get('large'))).equals(bytes), true),
      async () => assert.equal(await keysOf(target), ['large', 'small']),
      () => target.remove('none'),
    ]) {
      failing(store, fault, { from: 1, to: 1 });
      await call();
    }
  }
  const larger = Buffer.alloc(9 * MIB, bytes);
  store.objects.set('some/prefix/larger', { bytes: larger, tag: '"x"', modified: new Date() });
  failing(store, 'cut_body', { from: 2, to: 3, when: ({ method }) => method === 'GET' });
  assert.is((await collected(target.get('larger'))).equals(larger), true);
});

test('a list that is cut off without a way on is a failure, and never a short list', async (t) => {
  const { store, target } = await openTestBucket(t, { pageKeys: 2 });
  for (const key of ['a', 'b', 'c']) await target.put(key, bodyOf(HELLO));
  assert.equal(await keysOf(target), ['a', 'b', 'c']);
  store.forgetsTokens = true;
  assert.is(await reasonOf(keysOf(target)), 'refused');
});

test('wherever a put fails for good, the old object stays, no part is left, and the reason is told', async (t) => {
  const { store, target: patient } = await openTestBucket(t);
  const impatient = await openImpatient(store, 150);
  await patient.put('one', bodyOf(HELLO));
  const large = Buffer.alloc(11 * 2 ** 14, 1);
  const reasons: readonly (readonly [S3Fault, string])[] = [
    [{ status: 500, code: 'InternalError' }, 'unreachable'],
    [{ status: 403, code: 'AccessDenied' }, 'denied'],
    [{ status: 507, code: 'XMinioStorageFull' }, 'full'],
    [{ status: 400, code: 'InvalidRequest' }, 'refused'],
    ['cut', 'unreachable'],
    ['hang', 'timeout'],
  ];
  const steps = [
    ({ method, query }: S3Request) => method === 'POST' && query.has('uploads'),
    ({ query }: S3Request) => query.get('partNumber') === '1',
    ({ query }: S3Request) => query.get('partNumber') === '3',
    ({ method, query }: S3Request) => method === 'POST' && query.has('uploadId'),
  ];
  for (const [fault, reason] of reasons) {
    const target = fault === 'hang' ? impatient : patient;
    failing(store, fault);
    assert.is(await reasonOf(target.put('one', bodyOf(Buffer.from('new')))), reason);
    // A step is enough for the slower faults: where it fails makes no difference to how.
    for (const when of fault === 'hang' || fault === 'cut' ? steps.slice(2, 3) : steps) {
      const isTidy = async (): Promise<boolean> => {
        failing(store, fault, { when });
        const error = await failureOf(target.put('one', bodyOf(large)));
        assert.is(error.details['reason'], reason);
        assert.is(mayPass(error), reason === 'unreachable' || reason === 'timeout');
        store.fault = () => null;
        const left = store.uploads.size;
        store.uploads.clear();
        return left === 0;
      };
      // Who has little patience cannot tidy up either while the machine stands still.
      if (target === impatient) await waitUntil(isTidy, { what: 'no part to be left' });
      else assert.ok(await isTidy(), 'no part is left');
      assert.is((await collected(patient.get('one'))).toString(), 'hello');
    }
  }
});

test('a body that breaks between parts takes the upload with it', async (t) => {
  const { store, target } = await openTestBucket(t);
  const broken = new Error('the source broke');
  const error = await target.put('one', brokenBody(broken, Buffer.alloc(200_000))).catch((thrown: unknown) => thrown);
  assert.is(error, broken);
  assert.equal([store.uploads.size, store.objects.size], [0, 0]);
});

test('a store that says nothing is given up within the stall limit', async (t) => {
  const { store, target: patient } = await openTestBucket(t);
  await patient.put('one', bodyOf(HELLO));
  const target = await openImpatient(store, 300);
  store.fault = () => 'hang';
  for (const call of [
    () => target.put('two', bodyOf(HELLO)),
    () => collected(target.get('one')),
    () => keysOf(target),
    () => target.remove('one'),
  ]) {
    assert.is(await reasonOf(call()), 'timeout');
  }
});

test('wrong keys, buckets and addresses are told on opening, without the secret', async (t) => {
  const { store } = await openTestBucket(t);
  const secretAccessKey = 'another-very-secret-key';
  const errors = [
    await failureOf(openBucketOf(store, { secretAccessKey })),
    await failureOf(openBucketOf(store, { bucket: 'other-bucket' })),
    await failureOf(openBucketOf({ ...store, endpoint: 'http://127.0.0.1:1' })),
    await failureOf(openBucketOf({ ...store, key: { ...store.key, accessKeyId: 'SOMEBODY' } })),
  ];
  assert.equal(
    errors.map(({ details }) => details['reason']),
    ['denied', 'refused', 'unreachable', 'denied'],
  );
  for (const error of errors) {
    assert.match(error.message, /^The backup target s3 (test|other)-bucket\/some\/prefix failed \(open\)/);
    assert.is(error.cause, undefined, 'what the client throws holds requests with their headers');
    assert.not.match(error.message, secretAccessKey);
  }
});

test('a reader is told when the object is replaced or goes meanwhile', async (t) => {
  const { store, target } = await openTestBucket(t);
  const keep = (byte: number): void => {
    store.objects.set('some/prefix/one', { bytes: Buffer.alloc(9 * MIB, byte), tag: `"${byte}"`, modified: new Date() });
  };
  const read = async (meanwhile: () => unknown): Promise<unknown> => {
    keep(1);
    const pieces = target.get('one')[Symbol.asyncIterator]();
    await pieces.next();
    await meanwhile();
    return pieces.next().catch((thrown: unknown) => thrown);
  };
  assert.match(String(await read(() => keep(2))), 'was replaced while it was read');
  assert.instance(await read(() => target.remove('one')), ObjectNotFound);
  store.fault = ({ method }) => (method === 'DELETE' ? { status: 404, code: 'NoSuchKey' } : null);
  await target.remove('one');
});

test('uploads that nobody ended for a day are aborted on opening, below the own prefix only', async (t) => {
  const { store } = await openTestBucket(t);
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  for (const [id, key, begun] of [
    ['old', 'some/prefix/a', yesterday],
    ['young', 'some/prefix/b', new Date()],
    ['foreign', 'other/prefix/a', yesterday],
  ] as const)
    store.uploads.set(id, { key, begun, parts: new Map() });
  store.fault = ({ query }) => (query.has('uploads') ? { status: 403, code: 'AccessDenied' } : null);
  await openBucketOf(store);
  assert.is(store.uploads.size, 3, 'who may not list them leaves them');
  store.fault = () => null;
  await openBucketOf(store);
  assert.equal([...store.uploads.keys()], ['young', 'foreign']);
});

test('targets of one bucket with prefixes of their own see their own objects', async (t) => {
  const { store, target } = await openTestBucket(t);
  const open = (prefix: string): Promise<BackupTarget> => openBucketOf(store, { prefix });
  const [other, longer, whole] = [await open('some/other'), await open('some/prefix-2'), await open('')];
  await target.put('a/one', bodyOf(HELLO));
  await other.put('a/two', bodyOf(HELLO));
  await longer.put('a/three', bodyOf(HELLO));
  store.objects.set('some/prefix/', { bytes: HELLO, tag: '"x"', modified: new Date() });
  store.objects.set('some/prefix/two words', { bytes: HELLO, tag: '"x"', modified: new Date() });
  assert.equal(await keysOf(target), ['a/one']);
  assert.equal(await keysOf(other), ['a/two']);
  assert.equal(await keysOf(longer), ['a/three']);
  assert.equal(await keysOf(whole), ['some/other/a/two', 'some/prefix-2/a/three', 'some/prefix/a/one']);
  assert.is(whole.name, 's3 test-bucket');
});

test.run();
