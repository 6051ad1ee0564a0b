/** The head of a snapshot comes over the network: what is well formed passes unchanged, everything else is refused by name, and no chunk
 *  reaches outside its files. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { checkSnapshotHead, type SnapshotHead } from '../../src/engine/snapshot.js';
import { chunkMap, FILES_MAX, HEAD_BYTES_MAX } from '../../src/engine/snapshot-head.js';
import { inChunksOf } from '../support/snapshots.js';
import { suite } from '../support/suite.js';

const test = suite('engine/snapshot-head');

function headOf(sizes: readonly number[], chunkBytes = 1_048_576): SnapshotHead {
  const nameOf = (i: number): string => (i === 0 ? 'skein.db' : `checkpoints/${i}/default/9.hnsw`);
  const files = sizes.map((bytes, i) => ({ name: nameOf(i), bytes, sha256: 'a1'.repeat(32) }));
  const ids = { id: '01'.repeat(16), clusterId: '02'.repeat(16), historyId: '03'.repeat(16), epoch: 4 };
  const at = { baseSeq: 5, baseHash: '06'.repeat(32), digest: '07'.repeat(16), collections: 8, points: 9 };
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return inChunksOf({ format: 1, ...ids, ...at, files, bytes, chunkBytes, chunks: 0 }, chunkBytes);
}

const refusal = (value: unknown): string => {
  try {
    checkSnapshotHead(value);
  } catch (error) {
    assert.instance(error, RangeError);
    return (error as Error).message;
  }
  return 'accepted';
};

test('a head passes as it is, and what does not belong to it does not pass with it', () => {
  const head = headOf([10, 20]);
  assert.equal(checkSnapshotHead(JSON.parse(JSON.stringify(head))), head);
  const more = { ...head, more: 1, files: head.files.map((file) => ({ ...file, more: 1 })) };
  assert.equal(checkSnapshotHead(more), head);
});

test('every field that is missing or of another kind is refused by its name', () => {
  const head = headOf([10, 20]);
  for (const name of Object.keys(head)) {
    for (const wrong of [undefined, null, -1, 1.5, 'x', {}, [], Number.NaN, 2 ** 53, 'AB'.repeat(16)])
      assert.match(refusal({ ...head, [name]: wrong }), name, `${name} as ${String(wrong)}`);
  }
  for (const name of ['name', 'bytes', 'sha256']) {
    for (const wrong of [undefined, null, -1, 0, 1.5, '', 'x', {}, 2 ** 53])
      assert.match(refusal({ ...head, files: [{ ...head.files[0], [name]: wrong }] }), name, `${name} as ${String(wrong)}`);
  }
  for (const wrong of [undefined, null, 1, 'x', []]) assert.match(refusal(wrong), 'the head is not an object');
});

test('names that lead anywhere else are refused', () => {
  const head = headOf([10, 20]);
  const names = [
    '../skein.db',
    '/etc/passwd',
    'checkpoints/../skein.db',
    'checkpoints/1/default/../../../x.json',
    'checkpoints/1/default/9.hnsw/../x',
    'checkpoints/1/other/9.hnsw',
    'checkpoints/1/default/9.exe',
    'checkpoints/01/default/9.hnsw',
    'checkpoints//default/9.hnsw',
    'checkpoints/1/default/9.hnsw\n',
    'checkpoints\\1\\default\\9.hnsw',
    'skein.db-wal',
    'skein.db',
    'MANIFEST',
  ];
  for (const name of names) {
    const [first, second] = head.files;
    assert.match(refusal({ ...head, files: [first, { ...second, name }] }), 'files[1].name', name);
  }
  assert.match(refusal({ ...head, files: [...head.files].reverse() }), 'files[0].name');
  assert.match(refusal({ ...head, files: [head.files[0], head.files[1], head.files[1]] }), 'files[2].name');
  assert.match(refusal({ ...head, files: [] }), 'no skein.db');
});

test('sums that do not agree are refused', () => {
  const head = headOf([10, 20], 7);
  assert.equal([head.bytes, head.chunks], [30, 5]);
  for (const wrong of [{ bytes: 31 }, { chunks: 4 }, { chunks: 6 }, { chunkBytes: 8 }, { chunkBytes: 2 ** 20 + 1 }])
    assert.is.not(refusal({ ...head, ...wrong }), 'accepted', JSON.stringify(wrong));
  const huge = headOf([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
  assert.is.not(refusal(huge), 'accepted');
});

test('the largest head is within its bound, and one file more is refused', () => {
  const file = { bytes: Number.MAX_SAFE_INTEGER, sha256: 'ff'.repeat(32) };
  const long = (i: number): string => `checkpoints/4194303/default/9007199254740991-${1_000 + (i % 9_000)}.2.hnsw`;
  const files = Array.from({ length: FILES_MAX }, (_, i) => ({ name: i === 0 ? 'skein.db' : long(i), ...file }));
  assert.ok(Buffer.byteLength(JSON.stringify({ ...headOf([1]), files })) < HEAD_BYTES_MAX);
  const many = headOf(Array.from({ length: FILES_MAX }, () => 1));
  assert.is(refusal(many), 'accepted');
  assert.match(refusal(headOf(Array.from({ length: FILES_MAX + 1 }, () => 1))), 'files is not a list');
});

test('chunks cover every byte of every file once, in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 50 }),
      (sizes, chunkBytes) => {
        const head = headOf(sizes, chunkBytes);
        const piecesOf = chunkMap(head);
        const seen = new Map<string, number>();
        for (let chunk = 0; chunk < head.chunks; chunk++) {
          let at = 0;
          for (const piece of piecesOf(chunk)) {
            assert.equal([piece.at, piece.offset], [at, seen.get(piece.file.name) ?? 0]);
            assert.ok(piece.bytes > 0);
            at += piece.bytes;
            seen.set(piece.file.name, piece.offset + piece.bytes);
          }
          assert.is(at, Math.min(chunkBytes, head.bytes - chunk * chunkBytes));
        }
        assert.equal(
          [...seen],
          head.files.map(({ name, bytes }) => [name, bytes]),
        );
      },
    ),
  );
  for (const chunk of [-1, 5, 0.5]) assert.throws(() => chunkMap(headOf([10, 20], 7))(chunk), /chunk is/);
});

test.run();
