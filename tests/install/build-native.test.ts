/** The native build at install: it marks what it made, makes it once, and never fails an installation. A stand-in for node-gyp
 *  takes the compiler's place, so that a run costs no compilation; `npm ci` proves the real one. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadNative } from '../../src/vector-index/native.js';
import { suite, type TestContext } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('install/build-native');

const require = createRequire(import.meta.url);
const plainBinary = join(dirname(require.resolve('hnswlib-node/package.json')), 'build', 'Release', 'addon.node');
/** On a machine that cannot run an AVX2 build none is made, and every case ends in the same skip. */
const suited = /lacks/.exec(loadNative({ folder: projectFolder, setting: undefined }).reason) === null && process.arch === 'x64';

const COPIES_THE_PLAIN_BINARY = `
  const { mkdirSync, copyFileSync, writeFileSync } = require('node:fs');
  mkdirSync('build/Release', { recursive: true });
  copyFileSync(${JSON.stringify(plainBinary)}, 'build/Release/addon.node');
  writeFileSync(process.env.SKEIN_TEST_FLAGS_FILE, process.env.CXXFLAGS);`;

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

interface Installation {
  readonly folder: string;
  readonly target: string;
  readonly flagsFile: string;
  run(environment?: Record<string, string>): Outcome;
}

/** A project that holds the script and the installed packages; `nodeGyp` is the program in node-gyp's place. */
function install(t: TestContext, nodeGyp: string): Installation {
  const folder = t.folder();
  mkdirSync(join(folder, 'src', 'install'), { recursive: true });
  const script = join(folder, 'src', 'install', 'build-native.js');
  copyFileSync(join(projectFolder, 'src', 'install', 'build-native.js'), script);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
  const program = join(folder, 'node-gyp.cjs');
  writeFileSync(program, nodeGyp);
  const flagsFile = join(folder, 'flags');
  const run = (environment: Record<string, string> = {}): Outcome => {
    const inherited = { ...process.env, npm_config_node_gyp: program, SKEIN_TEST_FLAGS_FILE: flagsFile };
    delete (inherited as NodeJS.ProcessEnv)['SKEIN_NATIVE_BUILD'];
    const result = spawnSync(process.execPath, [script], { encoding: 'utf8', env: { ...inherited, ...environment } });
    return { code: result.status, output: result.stdout + result.stderr };
  };
  return { folder, target: join(folder, 'build', 'native'), flagsFile, run };
}

test('builds with AVX2 and FMA, marks the binary with its checksum, and leaves nothing else', (t) => {
  const { target, flagsFile, run } = install(t, COPIES_THE_PLAIN_BINARY);
  const outcome = run();
  assert.is(outcome.code, 0);
  if (!suited) {
    assert.match(outcome.output, 'stays the plain build');
    return;
  }
  assert.is(outcome.output, 'skein: hnswlib-node was built with AVX2 and FMA\n');
  assert.is(readFileSync(flagsFile, 'utf8'), '-O3 -mavx2 -mfma');
  assert.equal(readdirSync(target).sort(), ['hnswlib-avx2.json', 'hnswlib-avx2.node']);
  const marker = JSON.parse(readFileSync(join(target, 'hnswlib-avx2.json'), 'utf8')) as Record<string, unknown>;
  const sum = createHash('sha256')
    .update(readFileSync(join(target, 'hnswlib-avx2.node')))
    .digest('hex');
  assert.is(marker['sha256'], sum);
  assert.is(loadNative({ folder: target, setting: undefined }).build, 'avx2');
});

test('builds once, and again only when the binary is not the marked one', (t) => {
  const { target, run } = install(t, COPIES_THE_PLAIN_BINARY);
  run();
  const again = run();
  assert.match(again.output, suited ? 'is already there' : 'stays the plain build');
  if (!suited) return;
  writeFileSync(join(target, 'hnswlib-avx2.node'), 'damaged');
  assert.match(run().output, 'was built with AVX2 and FMA');
  assert.match(run().output, 'is already there');
});

test('does nothing when it is told to keep the plain build', (t) => {
  const { target, run } = install(t, COPIES_THE_PLAIN_BINARY);
  const outcome = run({ SKEIN_NATIVE_BUILD: 'plain' });
  assert.is(outcome.code, 0);
  assert.match(outcome.output, 'SKEIN_NATIVE_BUILD=plain');
  assert.not.ok(existsSync(target));
});

test('warns in one line and succeeds when the compiler fails', (t) => {
  const { target, run } = install(t, "console.error('addon.cc:1: error: no such compiler'); process.exit(1);");
  const outcome = run();
  assert.is(outcome.code, 0);
  assert.is(outcome.output.trim().split('\n').length, 1);
  assert.match(outcome.output, suited ? 'error: no such compiler' : 'stays the plain build');
  assert.equal(existsSync(target) ? readdirSync(target) : [], []);
});

test('warns and succeeds when the new binary does not work', (t) => {
  const { target, run } = install(t, COPIES_THE_PLAIN_BINARY.replace(JSON.stringify(plainBinary), 'process.argv[1]'));
  const outcome = run();
  assert.is(outcome.code, 0);
  assert.match(outcome.output, suited ? 'no AVX2 build of hnswlib-node, the plain one serves' : 'stays the plain build');
  assert.equal(existsSync(target) ? readdirSync(target) : [], []);
});

test('touches nothing of the installed package', (t) => {
  const before = createHash('sha256').update(readFileSync(plainBinary)).digest('hex');
  install(t, COPIES_THE_PLAIN_BINARY).run();
  assert.is(createHash('sha256').update(readFileSync(plainBinary)).digest('hex'), before);
});

test.run();
