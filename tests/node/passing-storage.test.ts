/** What a server says of a data folder that does not outlive its container. */

import { statfsSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { type LogFields, silentLog } from '../../src/model/log.js';
import { passingStorage, warnOfPassingStorage } from '../../src/node/passing-storage.js';
import { suite } from '../support/suite.js';

const test = suite('node/passing-storage');

test('layers of containers and memory are named, whatever sign the number has; disks are not', () => {
  assert.match(passingStorage(0x794c7630) ?? '', 'container');
  assert.match(passingStorage(0x01021994) ?? '', 'memory');
  assert.match(passingStorage(0x858458f6 | 0) ?? '', 'memory');
  // ext4, xfs, nfs
  for (const type of [0xef53, 0x58465342, 0x6969]) assert.is(passingStorage(type), null);
});

test('one line says it, with what to do, and none where the folder stays', async (t) => {
  const folder = t.folder();
  const lines: { event: string; fields: LogFields }[] = [];
  const log = { ...silentLog, warn: (event: string, fields: LogFields = {}) => void lines.push({ event, fields }) };
  await warnOfPassingStorage(folder, 'linux', log);
  await warnOfPassingStorage('/dev/shm', 'linux', log);
  const expected = [folder, '/dev/shm'].filter((path) => passingStorage(statfsSync(path).type) !== null);
  assert.equal(
    lines.map(({ event, fields }) => [event, fields['data_dir']]),
    expected.map((path) => ['data_is_ephemeral', path]),
  );
  for (const { fields } of lines) assert.match(String(fields['advice']), 'volume');
  await warnOfPassingStorage('/dev/shm', 'darwin', log);
  assert.is(lines.length, expected.length);
});

test.run();
