/** The TypeScript of the pages compiles as it stands, by the types that are shipped, under strict settings and without the types of Node: what a
 *  program outside has that installs the package. Values that a page leaves to its reader are declared here. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('house/snippets', { deadlineMs: 60_000 });

const PAGES = ['README.md', 'docs/CLIENT.md', 'docs/EMBEDDED.md', 'docs/CHANGES.md'];
const BLOCK = /^```ts\n(.*?)^```/gms;
const LEFT_TO_THE_READER: Readonly<Record<string, string>> = {
  apiKey: 'string',
  client: "import('skein/client').SkeinClient",
  skein: "import('skein/client').SkeinClient",
  other: "import('skein/client').SkeinClient",
  errors: "typeof import('skein/client').errors",
  id: "import('skein/client').PointId",
  order: "import('skein/client').PointInput",
  points: "import('skein/client').PointInput[]",
  token: 'string | undefined',
  vector: 'Float32Array',
  copy: "{ set(id: import('skein/client').PointId, value: unknown): Promise<void>; remove(id: import('skein/client').PointId): Promise<void> }",
  remember: '(token: string) => Promise<void>',
};
const OPTIONS: ts.CompilerOptions = {
  ...{ noEmit: true, strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, types: [] },
  // Of an older target than ours, and with the declarations of the package looked at as well.
  ...{ target: ts.ScriptTarget.ES2022, skipLibCheck: false },
  ...{ module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 },
};
const OUR_DECLARATIONS = join(projectFolder, 'dist/src');

/** By the path of a file in the project that is not there, so that `skein` means the package itself. */
function snippets(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const page of PAGES) {
    const blocks = [...readFileSync(join(projectFolder, page), 'utf8').matchAll(BLOCK)];
    assert.ok(blocks.length > 0, `${page} has none`);
    for (const [i, [, code = '']] of blocks.entries())
      files.set(join(projectFolder, `${page.replaceAll(/\W/g, '-')}-${i + 1}.ts`), `${code}${placeholders(code)}export {};\n`);
  }
  return files;
}

function placeholders(code: string): string {
  const missing = Object.entries(LEFT_TO_THE_READER).filter(
    ([name]) => !new RegExp(`const (?:\\{[^}=]*\\b${name}\\b[^}=]*\\}|${name}) =|import \\{[^}]*\\b${name}\\b`).test(code),
  );
  return missing.map(([name, type]) => `declare const ${name}: ${type};\n`).join('');
}

function problemsOf(files: ReadonlyMap<string, string>): string[] {
  const host = ts.createCompilerHost(OPTIONS);
  const plain = { fileExists: host.fileExists, readFile: host.readFile };
  host.fileExists = (path) => files.has(path) || plain.fileExists(path);
  host.readFile = (path) => files.get(path) ?? plain.readFile(path);
  const program = ts.createProgram({ rootNames: [...files.keys()], options: OPTIONS, host });
  const ours = program.getSourceFiles().filter(({ fileName }) => files.has(fileName) || fileName.startsWith(OUR_DECLARATIONS));
  assert.ok(ours.length > files.size, 'the package was found');
  const others = program.getSourceFiles().filter((file) => !ours.includes(file) && !program.isSourceFileDefaultLibrary(file));
  assert.equal(
    others.map(({ fileName }) => fileName),
    [],
    'the declarations load those of no other package',
  );
  const found = ours.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]);
  return found.map(({ file, start = 0, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
    return `${file?.fileName.slice(projectFolder.length) ?? ''}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

test('what the pages show compiles by the types that are shipped', () => {
  assert.equal(problemsOf(snippets()), []);
});

test.run();
