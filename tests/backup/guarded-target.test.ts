/** A target behind its breaker: what is tried again, what is not, and what counts against it. */

import * as assert from 'uvu/assert';
import { type GuardedTarget, guardTarget, ReplayableBody } from '../../src/backup/guarded-target.js';
import { type BackupTarget, ObjectNotFound, type TargetFailure, targetFailed } from '../../src/backup/target.js';
import { SkeinError } from '../../src/model/errors.js';
import { silentLog } from '../../src/model/log.js';
import { Dependencies } from '../../src/resilience/dependencies.js';
import { bodyOf, collected, keysOf } from '../support/backup-targets.js';
import { suite } from '../support/suite.js';

const test = suite('backup/guarded-target');
const HELLO = Buffer.from('hello');

/** A target that fails as often as it is told to, before or behind its first piece. */
class Rig {
  readonly dependencies = new Dependencies({ log: silentLog, wallMs: () => 0 });
  readonly target: GuardedTarget;
  failures = 0;
  reason: TargetFailure = 'unreachable';
  afterFirst = false;
  calls = 0;
  closed = 0;
  readonly stored: string[] = [];

  constructor() {
    const fail = (operation: 'get' | 'put' | 'remove' | 'list', key: string): void => {
      if (this.failures === 0) return;
      this.failures -= 1;
      throw targetFailed({ target: 'test', operation, key, reason: this.reason, message: 'failed' });
    };
    const pieces = async function* <T>(rig: Rig, operation: 'get' | 'list', key: string, piece: T): AsyncGenerator<T> {
      rig.calls += 1;
      if (key === 'none') throw new ObjectNotFound('test', key);
      try {
        if (!rig.afterFirst) fail(operation, key);
        yield piece;
        if (rig.afterFirst) fail(operation, key);
        yield piece;
      } finally {
        rig.closed += 1;
      }
    };
    const plain: BackupTarget = {
      name: 'test',
      list: (prefix) => pieces(this, 'list', prefix, { key: 'a', bytes: 1, modifiedAtMs: 1 }),
      get: (key) => pieces(this, 'get', key, HELLO),
      put: async (key, body) => {
        this.calls += 1;
        const bytes = await collected(body);
        fail('put', key);
        this.stored.push(bytes.toString());
        return { bytes: bytes.length };
      },
      remove: async (key) => {
        this.calls += 1;
        fail('remove', key);
      },
    };
    const { signal } = new AbortController();
    this.target = guardTarget(plain, { dependencies: this.dependencies, signal, retry: { baseDelayMs: 1 } });
  }

  get state(): string {
    return this.dependencies.status()[0]?.state ?? '';
  }
}

async function typeOf(call: Promise<unknown>): Promise<unknown> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof SkeinError ? error.type : error;
}

test('reading, listing and removing are tried again', async () => {
  for (const call of [
    (rig: Rig) => collected(rig.target.get('a')).then(String),
    (rig: Rig) => keysOf(rig.target).then((keys) => `hello${keys.length === 2 ? 'hello' : ''}`),
    (rig: Rig) => rig.target.remove('a').then(() => 'hellohello'),
  ]) {
    const rig = new Rig();
    rig.failures = 2;
    assert.is(await call(rig), 'hellohello');
    assert.is(rig.calls, 3);
    assert.is(rig.state, 'closed');
  }
});

test('a body that can be read anew is put again from its beginning, another is put once', async () => {
  const rig = new Rig();
  rig.failures = 2;
  await rig.target.put('a', new ReplayableBody(() => bodyOf(HELLO, HELLO)));
  assert.equal([rig.stored, rig.calls], [['hellohello'], 3]);
  rig.failures = 1;
  assert.is(await typeOf(rig.target.put('a', bodyOf(HELLO))), 'BackupTargetFailed');
  assert.is(rig.calls, 4);
});

test('behind the first piece a failure reaches the reader', async () => {
  const rig = new Rig();
  rig.failures = 1;
  rig.afterFirst = true;
  assert.is(await typeOf(collected(rig.target.get('a'))), 'BackupTargetFailed');
  assert.equal([rig.calls, rig.closed], [1, 1]);
});

test('a reader that stops early lets go of the object', async () => {
  const rig = new Rig();
  for await (const _ of rig.target.get('a')) break;
  assert.is(rig.closed, 1);
});

test('three failures in a row, and it is not asked for a while', async () => {
  const rig = new Rig();
  rig.failures = 3;
  assert.is(await typeOf(rig.target.remove('a')), 'BackupTargetFailed');
  assert.is(rig.state, 'open');
  assert.is(await typeOf(collected(rig.target.get('a'))), 'CircuitOpen');
  assert.is(rig.calls, 3);
});

test('who asks by hand reaches for a place that is left alone: one look at a time, until it is proven or has said why not', async () => {
  const rig = new Rig();
  await rig.target.reach();
  assert.is(rig.calls, 0, 'nothing is asked while nothing is wrong');
  rig.failures = 4;
  await typeOf(rig.target.remove('a'));
  const [first, second] = await Promise.all([typeOf(rig.target.reach()), typeOf(rig.target.reach())]);
  assert.equal([first, second, rig.calls, rig.state], ['BackupTargetFailed', 'BackupTargetFailed', 4, 'open']);
  assert.is(await typeOf(rig.target.remove('a')), 'CircuitOpen', 'others still leave it alone');
  await rig.target.reach();
  assert.is(rig.state, 'closed');
  await rig.target.remove('a');
});

test('a missing object and a full or forbidden place are answers: told at once, and not counted', async () => {
  const rig = new Rig();
  for (const reason of ['full', 'denied', 'refused'] as const) {
    rig.reason = reason;
    rig.failures = 1;
    assert.is(await typeOf(rig.target.remove('a')), 'BackupTargetFailed');
  }
  for (let i = 0; i < 4; i++) assert.instance(await typeOf(collected(rig.target.get('none'))), ObjectNotFound);
  assert.equal([rig.calls, rig.state], [7, 'closed']);
});

test.run();
