/** Writes docs/CONFIGURATION.md from the tables of src/config. Run it after a change of a setting:
 *
 *    npm run build && node dist/tests/config/configuration-page.js --write
 *
 *  tests/config/configuration-page.test.ts holds the page to the tables. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COMMAND_SECTIONS } from '../../src/config/command-fields.js';
import { environmentNameOf, type Field, type FieldTable, fileKeyOf, flagOf } from '../../src/config/field.js';
import { formatValue } from '../../src/config/parse-value.js';
import { SERVER_SECTIONS } from '../../src/config/server-fields.js';

/** From dist/tests/config/ to the folder of the project. */
export const PAGE_PATH = fileURLToPath(new URL('../../../docs/CONFIGURATION.md', import.meta.url));

const INTRODUCTION = `# Configuration

This page is written from the tables in src/config (\`node dist/tests/config/configuration-page.js --write\`); change those, not it.

A setting has one name in three spellings: \`--data-dir\` as a flag, \`SKEIN_DATA_DIR\` in the environment, \`data_dir\` in the file.
Where several give a value, the flag wins over the environment, that over the file, that over the default.
\`skein serve --print-config\` prints every setting with its value and the source of it, secrets masked.

- **File**: \`skein serve --config skein.json\` (or \`SKEIN_CONFIG\`): one flat JSON object such as
  \`{"data_dir": "/var/lib/skein", "body_bytes_max": "64MiB", "default_w": "majority"}\`. Paths in it are relative to the file; all others
  are relative to the folder the command is run in.
- **Sizes**: bytes as a whole number, or a number with B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024).
- **Durations**: milliseconds as a whole number, or a number with ms, s, m, h, d.
- **Booleans**: \`--docs\`, \`--no-docs\`; in the environment true, false, 1, 0, yes, no, on, off; in the file true or false.
- **Mistakes**: an unknown flag, key or \`SKEIN_\` variable stops the command with exit code 2 and the name that was probably meant.
  An empty variable counts as not set. \`SKEIN_TEST_*\`, \`SKEIN_BENCH_*\` and \`SKEIN_NATIVE_BUILD\` belong to tests, benches and the install
  script. What Kubernetes injects for a Service named \`skein\` or \`skein-…\` (\`SKEIN_PORT=tcp://…\`, \`SKEIN_SERVICE_HOST\`, …) is passed over
  with a warning; \`enableServiceLinks: false\` in the pod avoids it.
`;

export function configurationPage(): string {
  const server = SERVER_SECTIONS.map(({ title, fields }) => `### ${title}\n\n${table(fields, true)}`);
  const commands = COMMAND_SECTIONS.map(({ title, fields }) => `### \`${title}\`\n\n${table(fields, false)}`);
  return [
    INTRODUCTION,
    '## Server\n\nSettings of `skein serve`.\n',
    ...server,
    '## Commands\n\nFlags of the commands; all but the file can also be given in the environment.\n',
    ...commands,
  ].join('\n');
}

function table(fields: FieldTable, withFileKey: boolean): string {
  const head = withFileKey
    ? '| file key | flag | environment | takes | default | |\n|---|---|---|---|---|---|'
    : '| flag | environment | takes | default | |\n|---|---|---|---|---|';
  const rows = Object.entries(fields).map(([key, field]) => {
    const names = [`\`${flagOf(key)}\``, `\`${environmentNameOf(key)}\``];
    const cells = [...(withFileKey ? [`\`${fileKeyOf(key)}\``] : []), ...names, takes(field), shownDefault(field), field.doc];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return `${[head, ...rows].join('\n')}\n`;
}

function leastOf(field: Extract<Field, { readonly kind: 'bytes' | 'duration' }>): string {
  return field.min === 0 ? '' : `, ${formatValue(field, field.min)} or more`;
}

function takes(field: Field): string {
  switch (field.kind) {
    case 'integer': {
      const range = field.max >= 1_000_000_000 ? `${field.min} or more` : `${field.min} to ${field.max}`;
      return [`${range}${field.unit === '' ? '' : ` ${field.unit}`}`, ...(field.words ?? []).map((word) => `\`${word}\``)].join(
        ', ',
      );
    }
    case 'share':
      return '0 to 1';
    case 'bytes':
      return [`size${leastOf(field)}`, ...(field.words ?? []).map((word) => `\`${word}\``)].join(', ');
    case 'duration':
      return field.max === undefined
        ? `duration${leastOf(field)}`
        : `duration, ${formatValue(field, field.min)} to ${formatValue(field, field.max)}`;
    case 'choice':
      return field.choices.map((choice) => `\`${choice}\``).join(', ');
    case 'boolean':
      return 'boolean';
    case 'url':
      return 'http(s) address';
    case 'node':
      return 'http(s) or ws(s) address';
    case 'path':
    case 'text':
      return field.kind;
  }
}

function shownDefault(field: Field): string {
  return field.default === null ? 'none' : `\`${formatValue(field, field.default)}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--write'))
  writeFileSync(PAGE_PATH, configurationPage());
