/** Log files: they follow each other, keep their number, and survive their disk. */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { LogFile } from '../../src/observability/log-file.js';
import { suite } from '../support/suite.js';

const test = suite('observability/log-file');

function fileAt(path: string, { bytesMax = 100, filesMax = 3 } = {}) {
  let nowMs = 0;
  const instead: string[] = [];
  const file = new LogFile({ path, bytesMax, filesMax, nowMs: () => nowMs, instead: (line) => instead.push(line) });
  return { file, instead, pass: (ms: number) => (nowMs += ms) };
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);

test('a full file is followed by a new one, and only so many full ones stay', (t) => {
  const path = join(t.folder(), 'logs', 'skein.log');
  const { file } = fileAt(path);
  for (let number = 0; number < 60; number++) file.write(`line ${String(number).padStart(4, '0')}\n`);
  // Ten bytes a line, ten lines a file: 60 lines are six files, of which four are there.
  assert.equal(readdirSync(join(path, '..')).sort(), ['skein.log', 'skein.log.1', 'skein.log.2', 'skein.log.3']);
  assert.is(linesOf(path).at(-1), 'line 0059');
  assert.is(linesOf(`${path}.1`)[0], 'line 0040');
  assert.is(linesOf(`${path}.3`)[0], 'line 0020');
  assert.is(file.lostLines, 0);
});

test('however long lines are, none is torn or lost while the files last, and no file is over its bound but by one line', (t) => {
  const folder = t.folder();
  let run = 0;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 250 }), { maxLength: 60 }), (lengths) => {
      const path = join(folder, String(run++), 'log');
      const { file, instead } = fileAt(path, { bytesMax: 200, filesMax: 1_000 });
      const lines = lengths.map((length, i) => `${i} ${'x'.repeat(length)}`);
      for (const line of lines) file.write(`${line}\n`);
      const full = existsSync(path) ? readdirSync(join(path, '..')).length : 0;
      const paths = Array.from({ length: full }, (_, i) => (i === full - 1 ? path : `${path}.${full - 1 - i}`));
      for (const one of paths) assert.ok(statSync(one).size <= 200 || linesOf(one).length === 1);
      assert.equal(paths.flatMap(linesOf), lines);
      assert.equal(instead, []);
    }),
    { seed: t.seed(), numRuns: 15 },
  );
});

test('a path below a link to nowhere is refused at once, and by name', (t) => {
  const link = join(t.folder(), 'disk');
  symlinkSync(`${link}-not-mounted`, link);
  const path = join(link, 'logs', 'skein.log');
  assert.throws(() => fileAt(path), `the log file ${path} cannot be written: EEXIST: file already exists, mkdir '${link}'`);
});

test('a file from before is gone on with, and a full one followed', (t) => {
  const path = join(t.folder(), 'log');
  writeFileSync(path, 'before\n');
  fileAt(path).file.write('after\n');
  assert.equal(linesOf(path), ['before', 'after']);
  writeFileSync(path, `${'x'.repeat(200)}\n`);
  fileAt(path).file.write('next\n');
  assert.equal(linesOf(path), ['next']);
  assert.is(linesOf(`${path}.1`)[0]?.length, 200);
});

test('no full file is kept when none is wanted', (t) => {
  const path = join(t.folder(), 'log');
  const { file } = fileAt(path, { bytesMax: 10, filesMax: 0 });
  for (const line of ['first', 'second', 'third']) file.write(`${line}\n`);
  assert.equal(linesOf(path), ['third']);
  assert.equal(readdirSync(join(path, '..')), ['log']);
});

test('a disk that takes nothing loses no line: they go elsewhere, are counted, and the file is tried again later', (t) => {
  const folder = t.folder();
  const path = join(folder, 'log');
  const { file, instead, pass } = fileAt(path);
  file.write('one\n');
  // A folder in the place of the file cannot be opened, as a full disk cannot be written.
  pass(2_000);
  unlinkSync(path);
  mkdirSync(path);
  file.write('two\n');
  file.write('three\n');
  assert.equal(instead, ['two\n', 'three\n']);
  assert.is(file.lostLines, 2);
  renameSync(path, join(folder, 'away'));
  file.write('too soon\n');
  assert.equal(instead.at(-1), 'too soon\n');
  pass(2_000);
  file.write('four\n');
  assert.equal(linesOf(path), ['four']);
  assert.is(file.lostLines, 3);
});

test('a full device is survived, also at the start', () => {
  const { file, instead } = fileAt('/dev/full');
  file.write('lost\n');
  assert.equal(instead, ['lost\n']);
  assert.is(file.lostLines, 1);
});

test('a file that ends in the middle of a line is gone on with on a line of its own', (t) => {
  const path = join(t.folder(), 'log');
  writeFileSync(path, '{"level":"in');
  fileAt(path).file.write('next\n');
  assert.equal(linesOf(path), ['{"level":"in', 'next']);
});

test('a file that somebody moved away is left to them, and another begun', (t) => {
  const path = join(t.folder(), 'log');
  const { file, pass } = fileAt(path);
  file.write('one\n');
  renameSync(path, `${path}.moved`);
  pass(2_000);
  file.write('two\n');
  assert.equal([linesOf(path), linesOf(`${path}.moved`)], [['two'], ['one']]);
});

test('a file that somebody removed is made again', (t) => {
  const path = join(t.folder(), 'log');
  const { file, pass } = fileAt(path);
  file.write('one\n');
  unlinkSync(path);
  pass(2_000);
  file.write('two\n');
  assert.equal(linesOf(path), ['two']);
});

test('a place where no file can be is refused at the start', (t) => {
  const folder = t.folder();
  assert.throws(() => fileAt(folder), /the log file .* cannot be written: EISDIR/);
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => fileAt(join(folder, 'file', 'log')), /cannot be written: ENOTDIR|cannot be written: EEXIST/);
});

test.run();
