/**
 * DSN as a relay does it (RFC 3461 §5.2), row by row: NOTIFY x RET x what the next hop can and does, by
 * Postrider, Postfix and Exim. What must come of each row is computed from the RFC; the table of who does
 * it stands in docs/interop.md. `UPDATE_DOCS=1` writes it anew.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Dialogue } from '../kit/dialogue.ts'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { endEximRelays, startEximRelay } from './exim-relay.ts'
import { post } from './letter.ts'
import { takeAll } from './mailbox.ts'
import { endPostfixes, startPostfix } from './postfix.ts'
import { lacks, until } from './program.ts'
import { endSinks, type Sink, startSink } from './sink.ts'

const skip = lacks('postfix', 'smtp-sink', 'exim4', 'root')

const NOTIFIES = ['', 'NEVER', 'SUCCESS', 'FAILURE', 'SUCCESS,FAILURE,DELAY'] as const
const RETS = ['', 'FULL', 'HDRS'] as const
const HOPS = [
  'takes it, with DSN',
  'takes it, without DSN',
  'refuses it, with DSN',
  'refuses it, without DSN',
] as const
type Hop = (typeof HOPS)[number]

interface Row {
  readonly id: string
  readonly hop: Hop
  readonly notify: string
  readonly ret: string
}

const ROWS: readonly Row[] = HOPS.flatMap((hop, h) =>
  NOTIFIES.flatMap((notify, n) =>
    RETS.map((ret, r) => ({ id: `row${h}${n}${r}`, hop, notify, ret })),
  ),
)

/** What came of a row, in words. */
interface Seen {
  /** Parameters that the next hop was given. */
  readonly passed: string
  /** What the sender was told. */
  readonly told: string
}

/** What must come of it (RFC 3461 §4.1, §4.3, §5.2.1, §5.2.2, §6.2). */
function wanted({ hop, notify, ret }: Row): Seen {
  const takes = hop.startsWith('takes')
  const dsn = hop.endsWith('with DSN')
  const passed = takes && dsn ? parameters(notify, ret) : ''
  // A hop that does DSN has taken SUCCESS over; what is refused is ours to tell in any case.
  const relayed = takes && !dsn && notify.includes('SUCCESS')
  const failed = !takes && (notify === '' || notify.includes('FAILURE'))
  // §4.3: RET is about failures; without one only the header comes back. Without RET both will do.
  const part = relayed || ret === 'HDRS' ? 'header' : ret === 'FULL' ? 'whole' : 'any'
  const told = relayed ? `relayed, ${part}` : failed ? `failed, ${part}` : 'nothing'
  return { passed, told }
}

function parameters(notify: string, ret: string): string {
  return [
    ...(ret === '' ? [] : [`RET=${ret}`]),
    'ENVID',
    ...(notify === '' ? [] : [`NOTIFY=${notify}`]),
    'ORCPT',
  ].join(' ')
}

const sinks: Partial<Record<Hop, Sink>> = {}
let home: Sink
let ours: Server
const seen = new Map<string, ReadonlyMap<string, Seen>>()

const CONFIG = `import { defineConfig } from 'postrider'
export default defineConfig({
  hooks: {
    route: ({ domain }) => {
      const port = Number(/^p([0-9]+)[.]test$/.exec(domain)?.[1])
      return port ? { kind: 'smarthost', host: '127.0.0.1', port, tls: 'never' } : undefined
    },
  },
})
`

before(async () => {
  if (skip) return
  const flags: Readonly<Record<Hop, readonly string[]>> = {
    'takes it, with DSN': [],
    'takes it, without DSN': ['-N'],
    'refuses it, with DSN': ['-f', 'RCPT'],
    'refuses it, without DSN': ['-N', '-f', 'RCPT'],
  }
  for (const hop of HOPS) sinks[hop] = await startSink(flags[hop])
  home = await startSink(['-N'])
  const config = join(newFolder('config'), 'postrider.config.ts')
  writeFileSync(config, CONFIG)
  ours = await startServer({ config })
  const hops = [home, ...HOPS.map(hop => sinks[hop] as Sink)]
  const routes = Object.fromEntries(hops.map(({ port }) => [`p${port}.test`, { port }]))
  const exim = await startEximRelay({ routes })
  const postfix = await startPostfix({
    main: {
      transport_maps: `inline:{${hops.map(({ port }) => `{p${port}.test=smtp:[127.0.0.1]:${port}}`).join(', ')}}`,
      smtp_host_lookup: 'native',
      // Rows are told one by one.
      smtp_connection_cache_on_demand: 'no',
    },
  })
  await observe('Postrider', async row => {
    await post(ours, { to: [rcpt(row)], mail: mail(row), content: content(row) })
  })
  for (const [name, port] of [
    ['Postfix', postfix.port],
    ['Exim', exim.port],
  ] as const) {
    const dialogue = await Dialogue.connect(port)
    await dialogue.reply()
    await dialogue.command('EHLO client.test')
    await observe(name, async row => {
      const [, address, more] = /^(\S+)(.*)$/.exec(rcpt(row)) as RegExpExecArray
      for (const [command, code] of [
        [`MAIL FROM:<n@p${home.port}.test> ${mail(row)}`, 250],
        [`RCPT TO:<${address}>${more}`, 250],
        ['DATA', 354],
      ] as const) {
        const reply = await dialogue.command(command)
        assert.equal(reply.code, code, `${name}: ${command}: ${reply.text}`)
      }
      await dialogue.send(content(row))
      assert.equal((await dialogue.command('.')).code, 250)
    })
    dialogue.end()
  }
})
after(async () => {
  endEximRelays()
  endPostfixes()
  endSinks()
  if (!skip) await ours.stop()
  clear()
})

const mail = ({ id, ret }: Row) => `${ret === '' ? '' : `RET=${ret} `}ENVID=${id}`
const rcpt = ({ id, hop, notify }: Row) =>
  `${id}@p${(sinks[hop] as Sink).port}.test${notify === '' ? '' : ` NOTIFY=${notify}`} ORCPT=rfc822;o-${id}@x.test`
const content = ({ id }: Row) =>
  `From: alice@demo.test\r\nTo: someone\r\nSubject: ${id}\r\n\r\nTHE-BODY of ${id}\r\n`

/** Sends all rows and waits until nothing more comes of them. */
async function observe(name: string, send: (row: Row) => Promise<void>): Promise<void> {
  const before = new Map(
    [...Object.values(sinks), home].map(sink => [sink, sink.messages().length]),
  )
  for (const row of ROWS) await send(row)
  const mine: string[] = []
  const notices = async () => {
    if (name !== 'Postrider') return home.messages().slice(before.get(home))
    mine.push(...(await takeAll(ours, ours.account(0))).map(octets => octets.toString('latin1')))
    return mine
  }
  const due = ROWS.filter(row => wanted(row).told !== 'nothing').length
  // A peer may owe a notice for ever: then what it does is told, and not waited for.
  await until(
    'notices',
    async () => ((await notices()).length >= due ? true : undefined),
    6_000,
  ).catch(() => undefined)
  await new Promise(resolve => setTimeout(resolve, 1_500))
  const told = await notices()
  const results = new Map<string, Seen>()
  for (const row of ROWS) {
    const copy = (sinks[row.hop] as Sink)
      .messages()
      .find(text => text.includes(`Subject: ${row.id}`) && text.includes(nameOf(name)))
    results.set(row.id, {
      passed: copy === undefined ? '' : passedIn(copy, row),
      told: toldIn(
        told.filter(text => text.includes(`${row.id}@p`)),
        row,
      ),
    })
  }
  seen.set(name, results)
}

/** How each server names itself in its Received field. */
const nameOf = (name: string) =>
  ({ Postrider: 'by mail.demo.test', Postfix: 'by postfix.test', Exim: 'by exim.test' })[
    name
  ] as string

function passedIn(copy: string, { id }: Row): string {
  const words = [...copy.matchAll(/^X-(?:Mail|Rcpt)-Args: (.*)$/gm)].flatMap(([, text = '']) =>
    text.trim().split(' ').slice(1),
  )
  return words
    .filter(word => /^(?:RET|ENVID|NOTIFY|ORCPT)=/i.test(word))
    .map(word =>
      word === `ENVID=${id}` || word.toLowerCase() === `orcpt=rfc822;o-${id}@x.test`
        ? (word.split('=')[0] as string)
        : word,
    )
    .join(' ')
}

function toldIn(notices: readonly string[], { id }: Row): string {
  const [notice, ...more] = notices
  if (notice === undefined) return 'nothing'
  if (more.length > 0) return `${notices.length} notices`
  const action = /^Action: *(\w+)/im.exec(notice)?.[1] ?? 'no action'
  const envelope = new RegExp(`^Original-Envelope-Id: *${id}`, 'im').test(notice)
  const original = new RegExp(`^Original-Recipient: *rfc822; *o-${id}@x\\.test`, 'im').test(notice)
  return [
    action,
    notice.includes('THE-BODY') ? 'whole' : 'header',
    ...(envelope ? [] : ['no envelope id']),
    ...(original ? [] : ['no original recipient']),
  ].join(', ')
}

/** '' where it is as it must be, else what is not. */
function fault(row: Row, { passed, told }: Seen): string {
  const must = wanted(row)
  const words: string[] = []
  if (!sameWords(passed, must.passed)) words.push(`passes on "${passed}"`)
  const fits = must.told.endsWith(', any')
    ? told === must.told.replace('any', 'whole') || told === must.told.replace('any', 'header')
    : told === must.told
  if (!fits) words.push(`tells ${told}`)
  return words.join(', ')
}

const sameWords = (one: string, other: string) =>
  one.split(' ').sort().join(' ') === other.split(' ').sort().join(' ')

test('Postrider does every row as RFC 3461 has it', { skip }, () => {
  const faults = ROWS.flatMap(row => {
    const found = fault(row, seen.get('Postrider')?.get(row.id) as Seen)
    return found === '' ? [] : [`${row.hop}; NOTIFY=${row.notify} RET=${row.ret}: ${found}`]
  })
  assert.deepEqual(faults, [])
})

test('the table of all three stands in docs/interop.md', { skip }, () => {
  const lines = [
    '| the next hop | NOTIFY | what must come of it | Postrider | Postfix | Exim |',
    '|---|---|---|---|---|---|',
  ]
  for (const hop of HOPS) {
    for (const notify of NOTIFIES) {
      const rows = ROWS.filter(row => row.hop === hop && row.notify === notify)
      const must = wanted(rows[0] as Row)
      const words = must.passed === '' ? must.told : 'all passed on; nothing told'
      const cells = ['Postrider', 'Postfix', 'Exim'].map(name => cellOf(name, rows))
      lines.push(
        `| ${hop} | ${notify || '-'} | ${words.replace(', any', '')} | ${cells.join(' | ')} |`,
      )
    }
  }
  const file = new URL('../../docs/interop.md', import.meta.url)
  const page = readFileSync(file, 'utf8')
  const [head = '', , tail = ''] = page.split(/<!-- dsn -->\n/)
  const table = `${lines.join('\n')}\n`
  const written = `${head}<!-- dsn -->\n${table}<!-- dsn -->\n${tail}`
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, written)
  // What peers do may differ by version: only our own column is held to.
  const column = (text: string) => text.split('\n').map(line => line.split('|')[4])
  assert.deepEqual(
    column(readFileSync(file, 'utf8').split(/<!-- dsn -->\n/)[1] ?? ''),
    column(table),
  )
})

/** One cell for the three kinds of RET. */
function cellOf(name: string, rows: readonly Row[]): string {
  const faults = rows.flatMap(row => {
    const found = fault(row, seen.get(name)?.get(row.id) as Seen)
    return found === '' ? [] : [`${row.ret === '' ? 'no RET' : row.ret}: ${found}`]
  })
  if (faults.length === 0) return 'yes'
  const bare = new Set(faults.map(text => text.replace(/^[^:]*: /, '').replace(/RET=\w+ /, '')))
  return bare.size === 1 && faults.length === rows.length
    ? ([...bare][0] as string)
    : faults.join('; ')
}
