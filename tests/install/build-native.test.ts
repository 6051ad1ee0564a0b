/** The native build at install: it marks what it made, makes it once, and never fails an installation. A stand-in for node-gyp
 *  takes the compiler's place, so that a run costs no compilation; `npm ci` proves the real one. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadNative } from '../../src/vector-index/native.js';
import { suite, type TestContext } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('install/build-native');

const builtFolder = join(projectFolder, 'build', 'native');
/** On a machine that cannot run an AVX2 build none is made. */
const suited = /lacks/.exec(loadNative({ folder: projectFolder, setting: undefined }).reason) === null && process.arch === 'x64';
const wanted = suited ? ['avx2', 'plain'] : ['plain'];

/** Gives the plain binary of this project for each build that is asked for. */
const COPIES_WHAT_IS_BUILT = `
  const { mkdirSync, copyFileSync, writeFileSync } = require('node:fs');
  mkdirSync('build/Release', { recursive: true });
  for (const [, build] of process.env.GYP_DEFINES.matchAll(/([a-z0-9]+)=1/g))
    copyFileSync(${JSON.stringify(join(builtFolder, 'graph-plain.node'))}, 'build/Release/graph-' + build + '.node');
  writeFileSync(process.env.SKEIN_TEST_FLAGS_FILE, process.env.GYP_DEFINES);`;

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
  for (const copied of [join('src', 'install'), join('src', 'vector-index', 'native')])
    cpSync(join(projectFolder, copied), join(folder, copied), { recursive: true });
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

const filesOf = (builds: readonly string[]): string[] =>
  builds.flatMap((build) => [`graph-${build}.json`, `graph-${build}.node`]).sort();
const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

test('builds what this processor can run, marks each binary with its checksum, and leaves nothing else', (t) => {
  const { target, flagsFile, run } = install(t, COPIES_WHAT_IS_BUILT);
  const outcome = run();
  assert.is(outcome.code, 0);
  assert.match(outcome.output, `skein: the native graph was built (${wanted.join(' and ')}`);
  assert.is(readFileSync(flagsFile, 'utf8'), `plain=1 avx2=${suited ? 1 : 0}`);
  assert.equal(readdirSync(target).sort(), filesOf(wanted));
  for (const build of wanted) {
    const marker = JSON.parse(readFileSync(join(target, `graph-${build}.json`), 'utf8')) as Record<string, unknown>;
    assert.is(marker['sha256'], hashOf(join(target, `graph-${build}.node`)));
  }
  assert.is(loadNative({ folder: target, setting: undefined }).build, wanted[0]);
  assert.is(loadNative({ folder: target, setting: 'plain' }).build, 'plain');
});

test('builds once, and again only what is not the marked one or came from other sources', (t) => {
  const { folder, target, flagsFile, run } = install(t, COPIES_WHAT_IS_BUILT);
  run();
  assert.match(run().output, 'is already there');
  writeFileSync(join(target, 'graph-plain.node'), 'damaged');
  assert.match(run().output, 'was built');
  assert.is(readFileSync(flagsFile, 'utf8'), 'plain=1 avx2=0', 'only what is missing');
  assert.match(run().output, 'is already there');
  appendFileSync(join(folder, 'src', 'vector-index', 'native', 'walk.h'), '// more\n');
  assert.match(run().output, 'was built');
  assert.is(readFileSync(flagsFile, 'utf8'), `plain=1 avx2=${suited ? 1 : 0}`);
  assert.match(run().output, 'is already there');
});

test('builds nothing but the plain one when it is told to keep it', (t) => {
  const { target, run } = install(t, COPIES_WHAT_IS_BUILT);
  const outcome = run({ SKEIN_NATIVE_BUILD: 'plain' });
  assert.is(outcome.code, 0);
  assert.match(outcome.output, 'SKEIN_NATIVE_BUILD=plain');
  assert.equal(readdirSync(target).sort(), filesOf(['plain']));
});

test('builds the plain one alone when the compiler knows nothing of AVX2', (t) => {
  if (!suited) return;
  const refuses = "if (process.env.GYP_DEFINES.includes('avx2=1')) { console.error('cc: error: -mavx2?'); process.exit(1); }";
  const { target, run } = install(t, refuses + COPIES_WHAT_IS_BUILT);
  const outcome = run();
  assert.is(outcome.code, 0);
  assert.match(outcome.output, /for plain processors only .*: cc: error: -mavx2\?/);
  assert.equal(readdirSync(target).sort(), filesOf(['plain']));
  assert.is(loadNative({ folder: target, setting: undefined }).build, 'plain');
});

test('warns in one line and succeeds when the compiler fails', (t) => {
  const { target, run } = install(t, "console.error('graph.cc:1: error: no such compiler'); process.exit(1);");
  const outcome = run();
  assert.is(outcome.code, 0);
  assert.is(outcome.output.trim().split('\n').length, 1);
  assert.match(outcome.output, /no native graph was built, hnswlib-node serves .*error: no such compiler/);
  assert.equal(readdirSync(target), []);
});

test('warns and succeeds when the new binary does not work', (t) => {
  const { target, run } = install(t, COPIES_WHAT_IS_BUILT.replace(/copyFileSync\("[^"]*"/, 'copyFileSync(process.argv[1]'));
  const outcome = run();
  assert.is(outcome.code, 0);
  assert.match(outcome.output, 'no native graph was built, hnswlib-node serves');
  assert.equal(readdirSync(target), []);
});

test('touches nothing of the installed package', (t) => {
  const packageFolder = dirname(createRequire(import.meta.url).resolve('hnswlib-node/package.json'));
  const binary = join(packageFolder, 'build', 'Release', 'addon.node');
  const [before, files] = [hashOf(binary), readdirSync(packageFolder)];
  install(t, COPIES_WHAT_IS_BUILT).run();
  assert.equal([hashOf(binary), readdirSync(packageFolder)], [before, files]);
});

test.run();
