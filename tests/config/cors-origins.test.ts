/** The list of origins in the setting cors_origins. */

import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { originProblems, originsOf } from '../../src/config/cors-origins.js';
import { suite } from '../support/suite.js';

const test = suite('config/cors-origins');

test('origins are kept as browsers send them', () => {
  assert.equal(originsOf(null), []);
  assert.equal(originsOf(' https://App.Example.com , http://localhost:3000,https://a.example:443,*,http://[::1]:8080'), [
    ...['https://app.example.com', 'http://localhost:3000', 'https://a.example', '*', 'http://[::1]:8080'],
  ]);
});

test('what is no origin is named', () => {
  for (const bad of [
    'app.example.com',
    'https://a.example/',
    'https://a.example/path',
    'null',
    'https://*.example.com/x',
    'file:///x',
    'https://u@a.example',
    'ws://a.example',
  ])
    assert.match(originProblems(`https://good.example,${bad}`).join('\n'), bad, bad);
  assert.equal(originProblems('https://good.example,*,http://localhost:3000'), []);
  const load = (): unknown => loadConfig({ flags: { corsOrigins: 'nonsense' }, environment: {}, workingDir: '.' });
  assert.throws(load, /cors_origins: nonsense is no origin/);
});

test.run();
