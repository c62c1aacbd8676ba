/**
 * Style as a test: who may import whom, what may be touched where, how long a file may be, and
 * that docs/rfc.md and the code cite the same RFCs. A finding names its file, line and rule.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { functionsOf, importsOf, withoutComments } from './tidy-source.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Files under version control, and those that are new and not ignored. */
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(path => path !== '' && existsSync(join(root, path)))

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const sources = tracked.filter(path => path.startsWith('src/') && path.endsWith('.ts'))
const production = sources.filter(path => !path.endsWith('.test.ts'))
const code = tracked.filter(path => /\.[cm]?ts$/.test(path) && !path.endsWith('.d.ts'))

/** The rooms, lowest first: a file imports from its own room and from those before it. */
const ROOMS = [
  'wire',
  'world',
  'mail',
  'message',
  'sasl',
  'smtp',
  'pop3',
  'imap',
  'mtqp',
  'store',
  'record',
  'limit',
  'account',
  'transit',
  'mailbox',
  'queue',
  'route',
  'shape',
  'hook',
  'delivery',
  'transport',
  'diagnose',
  'inbound',
  'access',
  'cluster',
  'server',
  'library',
  'api',
  'console',
  'cli',
] as const

/** Rooms that can be embedded anywhere: no package, nothing of Node but what is named. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  mail: [],
  message: [],
  sasl: ['node:crypto', 'node:module', '@mongodb-js/saslprep'],
  smtp: [],
  pop3: [],
  imap: [],
  mtqp: [],
}

const roomOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1]
const isWorldNode = (path: string) => path.startsWith('src/world/node/')

/** `path:line` of an offset. */
function at(path: string, text: string, offset: number): string {
  return `${path}:${text.slice(0, offset).split('\n').length}`
}

function none(findings: readonly string[], rule: string): void {
  assert.deepEqual(findings, [], `${rule}:\n  ${findings.join('\n  ')}\n`)
}

/** Where a relative import leads, from the root; undefined for packages. */
function target(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return relative(root, resolve(root, dirname(path), specifier))
}

test('imports only point up the table of rooms', () => {
  const findings: string[] = []
  for (const path of production) {
    const room = roomOf(path)
    if (room === undefined) continue
    const rank = ROOMS.indexOf(room as (typeof ROOMS)[number])
    if (rank < 0) findings.push(`${path}: there is no room ${room}`)
    for (const { specifier } of importsOf(read(path))) {
      const to = target(path, specifier)
      if (to === undefined) continue
      const other = roomOf(to)
      if (!existsSync(join(root, to))) findings.push(`${path}: ${specifier} is not there`)
      else if (other === undefined || ROOMS.indexOf(other as (typeof ROOMS)[number]) > rank) {
        findings.push(`${path}: ${room} must not import ${to}`)
      } else if (/^src\/world\/(?:node|sim)\//.test(to) && !WORLD_MAKERS.has(room)) {
        findings.push(`${path}: ${room} must not import ${to}, it is a port`)
      }
    }
  }
  none(findings, 'the table of docs/ARCHITECTURE.md')
})

/**
 * Ports come as parameters, but to those who make them: the composers, and the store, whose threads
 * open their own database and cannot be handed one.
 */
const WORLD_MAKERS = new Set(['world', 'store', 'server', 'library', 'api', 'console', 'cli'])

test('pure rooms import no package and nothing of Node', () => {
  const findings: string[] = []
  for (const path of production) {
    const allowed = PURE[roomOf(path) ?? '']
    if (allowed === undefined) continue
    for (const { specifier } of importsOf(read(path))) {
      if (!specifier.startsWith('.') && !allowed.includes(specifier)) {
        findings.push(`${path}: ${specifier}`)
      }
    }
  }
  none(findings, 'a pure room can be embedded anywhere')
})

test('no two files import each other in a circle', () => {
  const edges = new Map(
    production.map(path => [
      path,
      importsOf(read(path))
        // A type leaves nothing behind: such a circle is none when it runs.
        .filter(({ typeOnly }) => !typeOnly)
        .flatMap(({ specifier }) => target(path, specifier) ?? []),
    ]),
  )
  const findings: string[] = []
  const done = new Set<string>()
  const visit = (path: string, above: readonly string[]): void => {
    const start = above.indexOf(path)
    if (start >= 0) findings.push([...above.slice(start), path].join(' -> '))
    if (start >= 0 || done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...above, path])
    done.add(path)
  }
  for (const path of production) visit(path, [])
  none(findings, 'circles')
})

/** Of these modules, what only computes. */
const PURE_IMPORT =
  /import \{[ ,]*(?:(?:isIP|isIPv4|isIPv6|BlockList|SocketAddress)[ ,]*)+\} from 'node:net'/g

test('time, chance, process, sockets and files are touched in world/node alone', () => {
  const banned: readonly (readonly [RegExp, string])[] = [
    [/\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/g, 'the clock'],
    [/\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b/g, 'chance'],
    [/(?<![.\w])(?:setTimeout|setInterval|setImmediate)\b/g, 'timers'],
    [/(?<![.\w/'])process\.\w+/g, 'the process'],
    [/(?<![.\w])console\.\w+/g, 'the console'],
    [
      /from 'node:(?:fs|fs\/promises|net|tls|http|https|dns|dns\/promises|dgram|child_process|os|worker_threads|sqlite|readline|readline\/promises|timers|timers\/promises|process)'/g,
      'the machine',
    ],
  ]
  const findings: string[] = []
  for (const path of production) {
    if (isWorldNode(path)) continue
    const text = withoutComments(read(path)).replace(PURE_IMPORT, pure => ' '.repeat(pure.length))
    for (const [pattern, what] of banned) {
      for (const match of text.matchAll(pattern)) {
        findings.push(`${at(path, text, match.index)}: ${what} (${match[0]})`)
      }
    }
  }
  none(findings, 'the world is a parameter')
})

test('SQL never asks the database for time or chance', () => {
  const findings: string[] = []
  for (const path of [...production, ...tracked.filter(file => file.endsWith('.sql'))]) {
    const text = path.endsWith('.sql')
      ? read(path).replace(/--.*$/gm, '')
      : withoutComments(read(path))
    const pattern =
      /\bCURRENT_TIME(?:STAMP)?\b|\bunixepoch\s*\(|\bstrftime\s*\(|(?<![.\w])random\s*\(\s*\)(?=[^{;]*(?:FROM|WHERE|ORDER))/g
    for (const match of text.matchAll(pattern)) {
      findings.push(`${at(path, text, match.index)}: ${match[0]}`)
    }
  }
  none(findings, 'time enters SQL by :now')
})

test('every file opens with prose, and no file or function outgrows a reader', () => {
  const findings: string[] = []
  for (const path of code) {
    const text = read(path)
    const isTest = path.endsWith('.test.ts')
    const opens = /^(?:#!.*\n)?\s*(?:\/\*\*?|\/\/)/.test(text)
    if (!isTest && !opens) findings.push(`${path}: opens without prose`)
    const lines = text.split('\n').length - 1
    // A table of cases is read row by row.
    if (lines > (isTest ? 800 : 400)) findings.push(`${path}: ${lines} lines`)
    if (isTest || !path.startsWith('src/')) continue
    for (const { name, line, lines: long } of functionsOf(text)) {
      if (long > 70) findings.push(`${path}:${line}: ${name} has ${long} lines`)
    }
  }
  none(findings, 'prose at the head, at most 400 lines a file and 70 a function')
})

test('names say what a thing is', () => {
  const findings = tracked.filter(path =>
    /(?:^|\/)(?:[\w-]*-)?(?:utils?|helpers?|common|misc|managers?|handlers?|services?|types)(?:\.[\w.]+)?$/.test(
      path,
    ),
  )
  const notKebab = sources.filter(
    path => !/^[a-z0-9-]+(?:\.test|\.d)?\.ts$/.test(path.split('/').at(-1) ?? ''),
  )
  none([...findings, ...notKebab], 'file names')
})

test('the language keeps to its dress', () => {
  const findings: string[] = []
  const rules: readonly (readonly [RegExp, string])[] = [
    [/^export default\b/gm, 'default export'],
    [/^\s*(?:export\s+)?(?:const\s+)?enum\s+\w/gm, 'enum'],
    [/^\s*(?:export\s+)?namespace\s+\w/gm, 'namespace'],
    [/\bclass\s+\w+(?:<[^>{]*>)?\s+extends\s+(?!Error\b)\w+/g, 'inheritance'],
    [/(?<![.\w])as any\b|:\s*any\b(?!\w)/g, 'any'],
  ]
  for (const path of production) {
    const text = withoutComments(read(path), true)
    for (const [pattern, what] of rules) {
      for (const match of text.matchAll(pattern))
        findings.push(`${at(path, text, match.index)}: ${what}`)
    }
    if (/@ts-(?:ignore|expect-error|nocheck)/.test(read(path))) findings.push(`${path}: @ts-`)
  }
  none(findings, 'docs/ARCHITECTURE.md, dress')
})

test('docs/rfc.md and the code cite the same RFCs', () => {
  if (!existsSync(join(root, 'docs/rfc.md'))) assert.fail('docs/rfc.md is missing')
  const ledger = new Map(
    [...read('docs/rfc.md').matchAll(/^\|\s*(?:\[)?(?:RFC )?(\d{3,5})\b[^|]*\|(.*)$/gm)].map(
      row => [
        row[1] as string,
        /\|\s*(yes|partly|no)\s*\|/i.exec(`|${row[2]}`)?.[1]?.toLowerCase(),
      ],
    ),
  )
  const cited = new Map<string, string>()
  for (const path of [...sources, ...tracked.filter(file => file.endsWith('.sql'))]) {
    for (const match of read(path).matchAll(/\bRFC[ -]?(\d{3,5})\b/g)) {
      if (!cited.has(match[1] as string)) cited.set(match[1] as string, path)
    }
  }
  const findings: string[] = []
  for (const [rfc, path] of cited) {
    if (!ledger.has(rfc)) findings.push(`RFC ${rfc} is cited in ${path} and not in docs/rfc.md`)
  }
  for (const [rfc, state] of ledger) {
    if (state === undefined)
      findings.push(`RFC ${rfc}: docs/rfc.md says neither yes, partly nor no`)
    if (state === 'yes' && !cited.has(rfc))
      findings.push(`RFC ${rfc}: said to be kept, cited nowhere`)
  }
  none(findings, 'the ledger of RFCs')
})

test('every room has a README of at most 40 lines', () => {
  const rooms = new Set(production.map(roomOf).filter(room => room !== undefined))
  const findings = [...rooms].flatMap(room => {
    const path = `src/${room}/README.md`
    if (!existsSync(join(root, path))) return [`${path} is missing`]
    const lines = read(path).split('\n').length - 1
    // The two that enumerate states say more (docs/ARCHITECTURE.md).
    const most = room === 'queue' || room === 'mailbox' ? 120 : 40
    return lines > most ? [`${path}: ${lines} lines`] : []
  })
  none(findings, 'rooms')
})

test('nothing of one machine or registry is in the repository', () => {
  const patterns: readonly RegExp[] = [
    /https?:\/\/(?:registry|npm)\.[\w.-]+/g,
    new RegExp(['', 'work', 'main'].join('/'), 'g'),
    new RegExp(['', 'work', 'shared'].join('/'), 'g'),
    /(?<![\w.])\/(?:home|Users)\/[\w-]+/g,
    /"resolved":\s*"/g,
  ]
  const findings: string[] = []
  for (const path of tracked) {
    if (/\.(?:png|jpg|ico|pem|eml)$/.test(path)) continue
    const text = read(path)
    for (const pattern of patterns) {
      for (const match of text.matchAll(pattern)) {
        findings.push(`${at(path, text, match.index)}: ${match[0]}`)
      }
    }
  }
  none(findings, 'machine paths and registry hosts')
})
