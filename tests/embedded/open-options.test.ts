/** Options of a program that opens a database: whatever is wrong is refused by its name before anything is opened. */

import * as assert from 'uvu/assert';
import { checkOptions } from '../../src/embedded/open-options.js';
import { ConfigError } from '../../src/embedded/skein.js';
import { suite } from '../support/suite.js';

const test = suite('embedded/open-options');

function problemsOf(options: unknown): readonly string[] {
  try {
    checkOptions(options);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('an option that nobody knows is refused, and with it the folder that was not meant', () => {
  assert.equal(problemsOf({ datadir: './mine' }), [
    'openSkein has no option "datadir" (did you mean dataDir?)',
    'dataDir is missing: the folder with the data',
  ]);
  for (const given of [undefined, null, './data', []])
    assert.equal(problemsOf(given), ["openSkein takes an object, such as { dataDir: './data' }"]);
  assert.equal(problemsOf({ dataDir: './data', client: { timeout: 3, url: 'http://a:1' } }), [
    'client has no option "timeout" (did you mean timeoutMs?)',
    'client has no option "url"',
  ]);
});

test('every option is looked at, and all that is wrong is said at once', () => {
  const wrong = {
    ...{ dataDir: '', follow: 'ftp://x', clusterKeyFile: 7, settings: ['a'], logLevel: 'loud' },
    ...{ client: 5, signal: {}, onFatal: true },
  };
  assert.equal(problemsOf(wrong), [
    'dataDir must be the path of a folder, as text',
    'follow must be the address of a server such as ws://127.0.0.1:7171',
    'clusterKeyFile must be a text that is not empty',
    'settings must be an object, as a configuration file holds',
    'logLevel must be one of debug, info, warn, error, silent',
    'client must be an object',
    'signal must be an AbortSignal',
    'onFatal must be a function',
  ]);
  const right = {
    ...{
      dataDir: './d',
      follow: 'ws://a:1',
      clusterKeyFile: './key',
      settings: { voter: true },
      logLevel: 'info',
      onFatal: () => {},
    },
    ...{ client: { apiKey: 'k', timeoutMs: 1, retries: false, session: false }, signal: new AbortController().signal },
  };
  assert.equal(problemsOf(right), []);
  assert.equal(problemsOf({ dataDir: './d', follow: undefined, settings: undefined, client: undefined }), []);
});

test('what an option and a setting both say is refused', () => {
  assert.equal(
    problemsOf({ dataDir: './d', logLevel: 'info', settings: { data_dir: './e', log_level: 'warn', master: 'ws://a:1' } }),
    ['data_dir in settings is said by dataDir already', 'log_level in settings is said by logLevel already'],
  );
});

test.run();
