import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleWorkflowCode } from '@temporalio/worker';

const root = join(__dirname, '../..');
const run = promisify(execFile);

interface Snippet {
  readonly file: string;
  readonly text: string;
}

/**
 * Lints texts as if they stood in existing files and returns the rules that each breaks. ESLint loads ES modules, which
 * Jest does not: it gets one process of its own.
 */
async function lint(snippets: readonly Snippet[]): Promise<string[][]> {
  const script = `
    const { ESLint } = require('eslint');
    const { configs } = require('typescript-eslint');
    (async () => {
      // The fences need no types, and a text that is not the file's own confuses the type checker's program.
      const eslint = new ESLint({ overrideConfig: [configs.disableTypeChecked] });
      const broken = [];
      for (const { file, text } of JSON.parse(process.argv[1])) {
        const [result] = await eslint.lintText(text, { filePath: file });
        const fatal = result.messages.find(message => message.fatal);
        if (fatal) throw new Error(file + ': ' + fatal.message);
        broken.push(result.messages.map(message => message.ruleId));
      }
      console.log(JSON.stringify(broken));
    })();`;
  const { stdout } = await run(process.execPath, ['-e', script, JSON.stringify(snippets)], { cwd: root });
  return JSON.parse(stdout) as string[][];
}

const restricted = ['@typescript-eslint/no-restricted-imports', 'import-x/no-restricted-paths'];

const imports: [file: string, text: string, refused: boolean][] = [
  ['src/domain/status.ts', "import '../errors.js';", true],
  ['src/domain/status.ts', "import './cause.js';", false],
  ['src/workflows/sweep.ts', "import '../store/port/store.js';", true],
  ['src/workflows/sweep.ts', "import 'node:fs';", true],
  ['src/workflows/sweep.ts', "import '../domain/cause.js';", false],
  ['src/contracts/workflows.ts', "import '../temporal/run-reauth.js';", true],
  ['src/store/postgres/entities.ts', "import '../../http/create-app.js';", true],
  ['src/store/postgres/entities.ts', "import '../port/store.js';", false],
  ['src/activities/sweep/sweep.ts', "import '../../http/create-app.js';", true],
  ['src/http/create-app.ts', "import '../activities/create-activities.js';", true],
  ['src/http/create-app.ts', "import '../embedded/pick-port.js';", true],
  ['src/http/routes/api/oauth/callback/get-callback.ts', "import '../../../../../activities/sweep/sweep.js';", true],
  ['src/http/routes/api/oauth/callback/get-callback.ts', "import '../../../../../errors.js';", false],
  ['src/embedded/pick-port.ts', "import '../activities/sweep/sweep.js';", true],
  ['src/handlers/run-handler.ts', "import '../activities/create-activities.js';", true],
  ['src/handlers/run-handler.ts', "import '../providers/send-request.js';", false],
  ['src/integrations/definition.ts', "import '../handlers/handler-host.js';", true],
  ['src/cli/migrate.ts', "import '../http/create-app.js';", true],
];
const statements: [text: string, rule: string][] = [
  ["await import('../domain/cause.js');", 'no-restricted-syntax'],
  ['process.exit();', 'no-restricted-globals'],
  ['void fetch("http://127.0.0.1");', 'no-restricted-globals'],
];
const snippets: Snippet[] = [
  ...imports.map(([file, text]) => ({ file, text })),
  ...statements.map(([text]) => ({
    file: 'src/workflows/sweep.ts',
    text: `export async function f() { ${text} }`,
  })),
];
const broken = new Map<string, string[]>();

beforeAll(async () => {
  const results = await lint(snippets);
  for (const [index, { file, text }] of snippets.entries()) broken.set(`${file} ${text}`, results[index] ?? []);
}, 120_000);

describe('the fences around workflow code and the layers', () => {
  it.each(imports)('in %s, %s is refused: %s', (file, text, refused) => {
    expect(broken.get(`${file} ${text}`)?.some(rule => restricted.includes(rule))).toBe(refused);
  });

  it.each(statements)('%s in a workflow breaks %s', (text, rule) => {
    expect(broken.get(`src/workflows/sweep.ts export async function f() { ${text} }`)).toContain(rule);
  });

  it('gives workflow code no types of Node', async () => {
    const directory = mkdtempSync(join(root, 'node_modules/.fence-'));
    try {
      writeFileSync(join(directory, 'leak.ts'), 'export const leak = process.env;\n');
      writeFileSync(
        join(directory, 'tsconfig.json'),
        JSON.stringify({ extends: '../../src/workflows/tsconfig.json', files: ['leak.ts'], include: [] }),
      );
      const check = run(process.execPath, [
        join(root, 'node_modules/typescript/bin/tsc'),
        '--noEmit',
        '-p',
        join(directory, 'tsconfig.json'),
      ]);
      await expect(check).rejects.toMatchObject({
        stdout: expect.stringContaining("Cannot find name 'process'") as string,
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  }, 60_000);

  it('does not bundle a workflow that reaches for a builtin', async () => {
    const directory = mkdtempSync(join(root, 'node_modules/.fence-'));
    try {
      const file = join(directory, 'leak.js');
      writeFileSync(file, "const fs = require('node:fs'); exports.leak = async () => fs.readFileSync('x');\n");
      const told: string[] = [];
      const tell = (message: string) => void told.push(message);
      const logger = { log() {}, trace() {}, debug() {}, info: tell, warn: tell, error: tell };
      await expect(bundleWorkflowCode({ workflowsPath: file, logger })).rejects.toThrow('Webpack finished with errors');
      expect(told.join('\n')).toContain('node:fs');
    } finally {
      rmSync(directory, { recursive: true });
    }
  }, 60_000);
});
