/** Folders of paths that people give: made with what is missing above them, or refused at once. */

import { existsSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../../src/resilience/make-folder.js';
import { suite } from '../support/suite.js';

const test = suite('resilience/make-folder');

function refusal(path: string): string {
  try {
    makeFolder(path);
  } catch (error) {
    return (error as Error).message;
  }
  return 'it was made';
}

test('what is missing is made, and what is there stays', (t) => {
  const path = join(t.folder(), 'a', 'b', 'c');
  makeFolder(path);
  assert.ok(statSync(path).isDirectory());
  const { ino } = statSync(path);
  makeFolder(`${path}/../c/.`);
  assert.is(statSync(path).ino, ino);
});

test('a place that takes no folders is refused by name, and does not hold the process', (t) => {
  const folder = t.folder();
  const link = join(folder, 'link');
  symlinkSync(join(folder, 'not-mounted'), link);
  assert.match(refusal(join(link, 'logs')), `mkdir '${link}'`);
  assert.not.ok(existsSync(join(folder, 'not-mounted')));
  if (existsSync('/proc/self')) assert.match(refusal('/proc/x/y'), "ENOENT: no such file or directory, mkdir '/proc/x'");
  const file = join(folder, 'file');
  writeFileSync(file, '');
  assert.match(refusal(file), `EEXIST: file already exists, mkdir '${file}'`);
  assert.match(refusal(join(file, 'sub')), /^ENOTDIR: .*file.sub'$/);
  rmSync(link);
});

test.run();
