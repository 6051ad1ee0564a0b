/** The Dockerfile, line by line, as far as it can be proved without an engine: its scripts are ours, what it copies exists or is
 *  built, its flags are settings, and its health check tells a live server from a dead one. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite, type TestContext } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('house/dockerfile');
/** Nobody listens there; a port that was free a moment ago may be given out again. */
const NOBODYS_PORT = 1;

const text = readFileSync(join(projectFolder, 'Dockerfile'), 'utf8');
/** Instruction and argument of every line; none is continued. */
const lines = text
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => ({ instruction: line.slice(0, line.indexOf(' ')), argument: line.slice(line.indexOf(' ') + 1) }));

function argumentsOf(instruction: string): string[] {
  return lines.filter((line) => line.instruction === instruction).map((line) => line.argument);
}

/** The list in an argument of the exec form: `CMD ["a", "b"]`. */
function execForm(argument: string): string[] {
  return JSON.parse(argument.slice(argument.indexOf('['))) as string[];
}

test('runs npm with commands that exist, and copies what exists or is built', () => {
  const { scripts } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const command of argumentsOf('RUN').filter((argument) => argument.startsWith('npm run '))) {
    assert.ok((command.split(' ')[2] ?? '') in scripts, command);
  }
  const copied = argumentsOf('COPY').flatMap((argument) => {
    const words = argument.split(' ').filter((word) => !word.startsWith('--'));
    return words.slice(0, -1).map((word) => word.replace(/^\/skein\//, ''));
  });
  for (const path of copied.filter((path) => path !== 'build')) assert.ok(existsSync(join(projectFolder, path)), path);
});

test('starts the entry of package.json, on the port, user and folder that it declares', () => {
  const { bin } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { bin: { skein: string } };
  const settings = readFileSync(join(projectFolder, 'docs', 'CONFIGURATION.md'), 'utf8');
  assert.equal(argumentsOf('ENTRYPOINT').map(execForm), [[`/skein/${bin.skein}`]]);
  const [command] = argumentsOf('CMD').map(execForm);
  assert.equal(command, ['serve', '--host', '0.0.0.0', '--data-dir', argumentsOf('VOLUME')[0]]);
  for (const flag of command?.filter((word) => word.startsWith('--')) ?? []) assert.match(settings, `\`${flag}\``);
  assert.match(settings, `| \`${argumentsOf('EXPOSE')[0]}\` |`);
  assert.match(settings, '`SKEIN_API_KEY_FILE`');
  assert.equal(argumentsOf('USER'), ['node']);
});

test('its health check passes for a live server, fails for a sick one and for none', async (t) => {
  const [, code] = /CMD (\[.*\])$/.exec(argumentsOf('HEALTHCHECK')[0] ?? '') ?? [];
  const command = execForm(code ?? '[]');
  const live = await listen(t, 200);
  const sick = await listen(t, 503);
  assert.is(await exitCode(command, live), 0);
  assert.is(await exitCode(command, sick), 1);
  assert.is(await exitCode(command, NOBODYS_PORT), 1);
});

function listen(t: TestContext, status: number): Promise<number> {
  const server = createServer((request, reply) => {
    reply.statusCode = request.url === '/health/live' ? status : 404;
    reply.end();
  });
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function exitCode([program = '', ...rest]: readonly string[], port: number): Promise<number | null> {
  const path = program.replace('/skein', projectFolder);
  const child = spawn(process.execPath, [path, ...rest], { env: { ...process.env, SKEIN_PORT: String(port) }, stdio: 'ignore' });
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code));
  });
}

test.run();
