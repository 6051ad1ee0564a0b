/** The house rules that can be seen in one file's text. Pure: a path and a text go in, sentences about breaches come out.
 *  Must not know: the file system. Rules that need types are oxlint's, those between files are the import law's. */

export interface Finding {
  readonly path: string;
  readonly problem: string;
}

interface LineRule {
  readonly problem: string;
  readonly pattern: RegExp;
  /** Which files the rule looks at, by their path below the project. */
  readonly looksAt: (path: string) => boolean;
}

const LINES_MAX = 400;
const BANNED_NAMES = /(?:^|[/.-])(?:utils?|helpers?|common|misc)(?=[/.-]|$)/;

const isCode = (path: string): boolean => /\.(?:ts|js|cjs)$/.test(path);
const isSource = (path: string): boolean => path.startsWith('src/') && isCode(path);
const isTest = (path: string): boolean => path.endsWith('.test.ts');
/** The rules' own words and their planted breaches would be found in the two files that hold them. */
const isRules = (path: string): boolean => path.startsWith('tests/house/tid');

const LINE_RULES: readonly LineRule[] = [
  {
    problem: 'marks unfinished work; finish it or file it as an issue',
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/,
    looksAt: (path) => !isRules(path),
  },
  {
    problem: 'names a path of one machine',
    pattern: /(?<![\w.~}/-])\/(?:work|root|home\/\w|tmp\/\w|Users\/\w|mnt\/\w)/,
    looksAt: (path) => !isRules(path),
  },
  { problem: 'names a package registry', pattern: /registry\.(?:npmjs|yarnpkg)\./, looksAt: (path) => !isRules(path) },
  {
    problem: 'runs only some tests, or skips one',
    pattern: /\b(?:test|suite|it|describe)\.(?:only|skip|todo)\b/,
    looksAt: (path) => isTest(path) && !isRules(path),
  },
  {
    problem: 'waits a fixed time; wait for a condition (tests/support/wait-until.ts)',
    pattern:
      /timers\/promises|\bsetTimeout\((?:resolve|done|ready)\b|\bsetTimeout\(\(\) => (?:resolve|done)\b|\bAtomics\.wait\(|\bsleep\(/,
    looksAt: (path) => isTest(path) && !isRules(path),
  },
  {
    problem: 'listens on a fixed port; listen on port 0',
    pattern: /\b(?:listen|port:)\s*\(?\s*[1-9]\d{3,4}\b/,
    looksAt: (path) => isTest(path) && !isRules(path),
  },
  {
    problem: 'ends the process; only main and the files of child processes may',
    pattern: /\bprocess\.exit\(/,
    looksAt: (path) =>
      isSource(path) && path !== 'src/main.ts' && !path.endsWith('-child.ts') && !path.startsWith('src/install/'),
  },
  {
    problem: 'prints by itself; use the log that is handed in',
    pattern: /\bconsole\.\w+\(/,
    looksAt: (path) =>
      isSource(path) && path !== 'src/main.ts' && !path.startsWith('src/cli/') && !path.startsWith('src/install/'),
  },
  {
    problem: 'inherits from something that is not an error',
    pattern: /\bclass \w+(?:<[^>]*>)? extends (?!\w*Error\b)/,
    looksAt: (path) => isSource(path),
  },
  {
    problem: 'silences a check',
    pattern: /@ts-(?:ignore|expect-error|nocheck)|(?:es|ox)lint-disable|biome-ignore/,
    looksAt: (path) => isCode(path) && !isRules(path),
  },
];

/** Looks through one file.
 *  @param path below the project folder, with forward slashes */
export function findUntidiness(path: string, text: string): Finding[] {
  const problems: string[] = [];
  const lines = text.split('\n');
  if (BANNED_NAMES.test(path)) problems.push('has a name that says nothing; a homeless function means a missing noun');
  if (/(?:^|\/)index\.ts$/.test(path) && path !== 'src/sdk/index.ts') problems.push('is an index file; only src/sdk has one');
  if (isCode(path) && !/^(?:#!.*\n)?\/\*\* /.test(text)) problems.push('does not open with a header comment');
  if (isSource(path) && lines.length - 1 > LINES_MAX) problems.push(`has ${lines.length - 1} lines; the wall is ${LINES_MAX}`);
  const rules = LINE_RULES.filter((rule) => rule.looksAt(path));
  for (const [index, line] of lines.entries()) {
    for (const rule of rules) if (rule.pattern.test(line)) problems.push(`line ${index + 1} ${rule.problem}`);
  }
  return problems.map((problem) => ({ path, problem }));
}
