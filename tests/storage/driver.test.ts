/** The choice of the SQLite driver by the version of Node, and the oldest SQLite that is let in. */

import * as assert from 'uvu/assert';
import { checkSqliteVersion, compareVersions, driverPackageFor, loadDriver } from '../../src/storage/driver.js';
import { StoreRefused } from '../../src/storage/storage.js';
import { suite } from '../support/suite.js';

const test = suite('storage/driver');

test('the version of Node decides the driver', () => {
  for (const version of ['20.19.0', '20.20.2', '22.13.1']) assert.is(driverPackageFor(version), 'better-sqlite3');
  for (const version of ['22.14.0', '22.20.0', '24.0.0', '25.1.0-nightly'])
    assert.is(driverPackageFor(version), 'better-sqlite3-next');
});

test('versions are compared by number and not by letter', () => {
  assert.ok(compareVersions('3.9.0', '3.51.3') < 0);
  assert.ok(compareVersions('3.51.10', '3.51.3') > 0);
  assert.is(compareVersions('3.51', '3.51.0'), 0);
});

test('a SQLite that can lose pages of the WAL is refused', () => {
  checkSqliteVersion('3.51.3');
  checkSqliteVersion('3.53.2');
  for (const version of ['3.51.2', '3.46.1', undefined]) {
    assert.throws(
      () => checkSqliteVersion(version),
      (error: StoreRefused) => error instanceof StoreRefused && error.reason === 'driver',
    );
  }
});

test('the driver of this Node loads, once', () => {
  assert.is(loadDriver(), loadDriver());
});

test.run();
