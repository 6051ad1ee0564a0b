/** The place of the settings, opened. */

import * as assert from 'uvu/assert';
import { nameOfPlace, openTarget, type Place } from '../../src/backup/open-target.js';
import { systemClock } from '../../src/model/clock.js';
import { bodyOf, keysOf } from '../support/backup-targets.js';
import { startS3 } from '../support/s3-server.js';
import { suite } from '../support/suite.js';

const test = suite('backup/open-target');

test('a folder or a bucket is opened, and says what it is', async (t) => {
  const store = await startS3(t);
  const folder = t.folder();
  const credentials = { accessKeyId: store.key.accessKeyId, secretAccessKey: { reveal: () => store.key.secretAccessKey } };
  const common = {
    kind: 's3',
    bucket: store.bucket,
    prefix: '',
    region: 'any',
    pathStyle: true,
    partBytes: 5 * 2 ** 20,
  } as const;
  const places: readonly Place[] = [
    { kind: 'folder', folder },
    { ...common, endpoint: store.endpoint, credentials },
  ];
  const names: string[] = [];
  for (const place of places) {
    const target = await openTarget(place, { writer: 'node-1', stallMs: 10_000, clock: systemClock });
    await target.put('one', bodyOf(Buffer.from('hello')));
    assert.equal(await keysOf(target), ['one']);
    assert.is(nameOfPlace(place), target.name);
    names.push(target.name);
  }
  assert.equal(names, [`folder ${folder}`, 's3 test-bucket']);
});

test.run();
