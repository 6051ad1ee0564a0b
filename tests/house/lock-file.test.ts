/** The lock file serves `npm ci` on every system, from every registry: complete, exact, and naming no host. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('house/lock-file');

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Description {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const read = (name: string): unknown => JSON.parse(readFileSync(join(projectFolder, name), 'utf8'));
const description = read('package.json') as Description;
const packages = (read('package-lock.json') as { packages: Record<string, LockEntry> }).packages;

test('every optional package for another system is in it (if not: node tests/house/complete-lock.js)', () => {
  const missing = Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
    ),
  );
  assert.equal(missing, []);
});

test('it was made from the package.json beside it', () => {
  const root = packages[''];
  assert.equal(root?.dependencies, description.dependencies);
  assert.equal(root?.devDependencies, description.devDependencies);
  assert.equal(root?.optionalDependencies, description.optionalDependencies);
});

test('every package but the optional ones of other systems has a checksum, and no entry names a host', () => {
  const entries = Object.entries(packages).filter(([path]) => path !== '');
  const unchecked = entries.filter(
    ([, entry]) => entry.integrity === undefined && !(entry.optional === true && entry.os !== undefined),
  );
  const placed = entries.filter(([, entry]) => entry.resolved !== undefined);
  assert.equal(
    [...unchecked, ...placed].map(([path]) => path),
    [],
  );
});

test.run();
