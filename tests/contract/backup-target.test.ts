/** The backup target's door: what holds for every place that keeps backups. */

import { once } from 'node:events';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { openFolderTarget } from '../../src/backup/folder-target.js';
import { type BackupTarget, ObjectNotFound } from '../../src/backup/target.js';
import { systemClock } from '../../src/model/clock.js';
import { bodyOf, brokenBody, bytesOf, collected, keysOf } from '../support/backup-targets.js';
import { Random } from '../support/random.js';
import { openTestBucket } from '../support/s3-bucket.js';
import { type suite as Suite, suite, type TestContext } from '../support/suite.js';

const test: ReturnType<typeof Suite> = suite('contract/backup-target');

const KINDS: Readonly<Record<string, (t: TestContext) => Promise<BackupTarget>>> = {
  s3: async (t) => (await openTestBucket(t, { pageKeys: 7 })).target,
  folder: (t) => openFolderTarget({ folder: t.folder(), writer: 'node-1', stallMs: 10_000, clock: systemClock }),
};

const text = (content: string): Buffer => Buffer.from(content);

for (const [kind, open] of Object.entries(KINDS)) {
  test(`${kind}: an object comes back as it was put, at every size`, async (t) => {
    const target = await open(t);
    const random = new Random(t.seed());
    for (const length of [0, 1, 65_536, 300_000, 4_500_001]) {
      const bytes = bytesOf(random, length);
      const half = Math.floor(length / 2);
      const body = bodyOf(bytes.subarray(0, half), Buffer.alloc(0), bytes.subarray(half));
      assert.equal(await target.put(`a/${length}`, body), { bytes: length });
      assert.is((await collected(target.get(`a/${length}`))).equals(bytes), true, `${length} bytes`);
    }
    for await (const { key, bytes, modifiedAtMs } of target.list('')) {
      assert.is(bytes, Number(key.slice(2)));
      assert.ok(Math.abs(Date.now() - modifiedAtMs) < 60_000, 'the time it was put');
    }
  });

  test(`${kind}: listing shows what a plain map would hold, by prefix and in bytewise order`, async (t) => {
    const target = await open(t);
    const segment = fc.stringMatching(/^[A-Za-c0_-][A-C._-]{0,3}$/);
    const keys = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
    const model = new Map<string, string>();
    const clashes = (key: string): boolean =>
      [...model.keys()].some((other) => other !== key && (other.startsWith(`${key}/`) || key.startsWith(`${other}/`)));
    const step = fc.asyncProperty(keys, fc.boolean(), fc.nat(4), async (key, putting, cut) => {
      if (putting && clashes(key)) return;
      if (putting) {
        await target.put(key, bodyOf(text(`content of ${key}`)));
        model.set(key, `content of ${key}`);
      } else if (!clashes(key)) {
        await target.remove(key);
        model.delete(key);
      }
      const prefix = key.slice(0, cut);
      const expected = [...model.keys()]
        .filter((other) => other.startsWith(prefix))
        .sort((a, b) => Buffer.compare(text(a), text(b)));
      assert.equal(await keysOf(target, prefix), expected);
    });
    await fc.assert(step, { seed: t.seed(), numRuns: 60, endOnFailure: true });
    for (const [key, content] of model) assert.is((await collected(target.get(key))).toString(), content);
  });

  test(`${kind}: an object is seen only when it is whole, and the old one until then`, async (t) => {
    const target = await open(t);
    await target.put('x/one', bodyOf(text('old')));
    const gate = new EventTarget();
    const opened = once(gate, 'open');
    const reached = once(gate, 'reached');
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield text('first');
      gate.dispatchEvent(new Event('reached'));
      await opened;
      yield text('second');
    }
    const putting = [target.put('x/one', slow()), target.put('x/two', slow())];
    await reached;
    assert.equal(await keysOf(target), ['x/one']);
    assert.is((await collected(target.get('x/one'))).toString(), 'old');
    gate.dispatchEvent(new Event('open'));
    await Promise.all(putting);
    assert.equal(await keysOf(target), ['x/one', 'x/two']);
    assert.is((await collected(target.get('x/one'))).toString(), 'firstsecond');
  });

  test(`${kind}: a body that breaks leaves what was there, and its own error reaches the caller`, async (t) => {
    const target = await open(t);
    await target.put('kept', bodyOf(text('old')));
    const broken = new Error('the source broke');
    const large = Buffer.alloc(200_000, 1);
    for (const key of ['kept', 'new/one']) {
      for (const pieces of [[], [text('part')], [large, large]]) {
        const error = await target.put(key, brokenBody(broken, ...pieces)).catch((thrown: unknown) => thrown);
        assert.is(error, broken);
      }
    }
    assert.equal(await keysOf(target), ['kept']);
    assert.is((await collected(target.get('kept'))).toString(), 'old');
  });

  test(`${kind}: of two that put the same key one wins as a whole`, async (t) => {
    const target = await open(t);
    const contents = ['a'.repeat(700_000), 'b'.repeat(300_000)];
    await Promise.all(contents.map((content) => target.put('same', bodyOf(text(content), text(content)))));
    const won = (await collected(target.get('same'))).toString();
    assert.ok(contents.some((content) => won === content + content));
  });

  test(`${kind}: a key that is not there is told by type, and removing it is no error`, async (t) => {
    const target = await open(t);
    await target.put('a/b/c', bodyOf(text('content')));
    for (const key of ['none', 'a', 'a/b', 'a/b/c/d', 'a/b/cc']) {
      const error = await collected(target.get(key)).catch((thrown: unknown) => thrown);
      assert.instance(error, ObjectNotFound, key);
      assert.is((error as ObjectNotFound).key, key);
      await target.remove(key);
    }
    assert.equal(await keysOf(target), ['a/b/c']);
    await target.remove('a/b/c');
    await target.remove('a/b/c');
    assert.equal(await keysOf(target), []);
    await target.put('a', bodyOf(text('where a folder was')));
    assert.equal(await keysOf(target), ['a']);
  });

  test(`${kind}: a reader may stop in the middle`, async (t) => {
    const target = await open(t);
    await target.put('large', bodyOf(Buffer.alloc(2_000_000, 7)));
    for await (const piece of target.get('large')) {
      assert.ok(piece.length > 0);
      break;
    }
    for await (const { key } of target.list('')) {
      assert.is(key, 'large');
      break;
    }
    await target.remove('large');
  });

  test(`${kind}: what is no key is refused before anything is touched`, async (t) => {
    const target = await open(t);
    const bad = [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/../b',
      'a/./b',
      '.partial/x',
      'a b',
      'ä',
      'a\\b',
      'a\0',
      'a'.repeat(256),
    ];
    for (const key of [...bad, 'a/'.repeat(300)]) {
      for (const call of [() => target.put(key, bodyOf()), () => collected(target.get(key)), () => target.remove(key)]) {
        const error = await call().catch((thrown: unknown) => thrown);
        assert.instance(error, RangeError, JSON.stringify(key));
      }
    }
    assert.equal(await keysOf(target), []);
  });
}

test.run();
