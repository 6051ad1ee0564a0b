/** The files under docs/deploy, read as the programs read them that they are for. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { type Config, settingVariables } from '../../src/config/config.js';
import { projectFolder } from './test-files.js';

export const { version: projectVersion } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
  version: string;
};
export const deployFolder = join(projectFolder, 'docs', 'deploy');

export function deployText(name: string): string {
  return readFileSync(join(deployFolder, name), 'utf8');
}

/** Every document of a YAML file, merge keys (`<<`) put in. */
export function deployDocuments(name: string): unknown[] {
  const documents = parseAllDocuments(deployText(name), { merge: true, uniqueKeys: true, strict: true });
  assert.ok(Array.isArray(documents));
  return documents.map((document) => {
    assert.equal(document.errors, [], `${name} is YAML`);
    assert.equal(document.warnings, [], name);
    return document.toJS();
  });
}

/** A rolling restart needs no other step: the master hands over, and whoever stops it waits until it has. @param graceMs until it is killed */
export function mustStopGently({ shutdownTimeoutMs, guards }: Config, graceMs: number): void {
  assert.is(guards.handoverAtStop, true);
  // What is killed may have been late for reasons of its own.
  assert.ok(graceMs >= 1.5 * shutdownTimeoutMs, `${graceMs} ms for a stop of ${shutdownTimeoutMs} ms`);
}

/** Every SKEIN_ variable is a setting of the server. */
export function mustBeSettings(variables: readonly string[], where: string): void {
  const known = settingVariables();
  for (const variable of variables.filter((name) => name.startsWith('SKEIN_')))
    assert.ok(known.has(variable), `${where}: ${variable} is no setting`);
}
