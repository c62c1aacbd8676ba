/**
 * Two real servers on one database in daily life: who is there, what one changes and the other must know,
 * a maildrop that only one session may have, readiness, a restart of one after the other under load, and faults.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { listNodes } from '../../src/cluster/reader.ts'
import type { OperationOutput } from '../../src/server/operation.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import type { Dialogue } from '../kit/dialogue.ts'
import { findPostgres, noPostgres } from '../kit/postgres.ts'
import { clear, type Server } from '../kit/server.ts'
import { Cluster, type ClusterNode } from './cluster.ts'
import { everythingBreaks } from './faults.ts'

const binaries = findPostgres()

/** Operations by the control socket, without waiting in a way that stops the proxies of this process. */
async function ask<Output>(server: Server, operation: string, input: object = {}): Promise<Output> {
  const { request } = await import('node:http')
  const { promise, resolve, reject } = Promise.withResolvers<Output>()
  const call = request(
    { socketPath: `${server.data}/control.sock`, path: `/${operation}`, method: 'POST' },
    response => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => {
        const answer = JSON.parse(text) as { ok: boolean; value: Output; error?: object }
        if (answer.ok) resolve(answer.value)
        else reject(new Error(JSON.stringify(answer.error)))
      })
    },
  )
  call.on('error', reject)
  call.end(JSON.stringify(input))
  return promise
}

const nodes = (server: Server) => ask<OperationOutput<'nodes'>>(server, 'nodes')

/** How long it takes until it holds, ms; at most 10 s. */
async function until(what: string, holds: () => Promise<boolean>): Promise<number> {
  const from = performance.now()
  while (!(await holds())) {
    assert.ok(performance.now() - from < 10_000, what)
    await sleep(10)
  }
  return Math.round(performance.now() - from)
}

async function rcpt(server: Server, address: string): Promise<number> {
  const dialogue = await server.smtp()
  await dialogue.command('MAIL FROM:<joe@remote.example>')
  const { code } = await dialogue.command(`RCPT TO:<${address}>`)
  dialogue.end()
  return code
}

async function http(server: Server, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${server.port('http')}${path}`)).status
}

/** Logs in by POP3: the dialogue, and what PASS was answered. */
async function login(server: Server, index: number): Promise<[Dialogue, string]> {
  const { address, password } = server.account(index)
  const dialogue = await server.connect('pop3s')
  await dialogue.line()
  await dialogue.ask(`USER ${address}`)
  return [dialogue, await dialogue.ask(`PASS ${password}`)]
}

/** Logs in by IMAP and says these; an IDLE is not waited for further. */
async function imap(server: Server, commands: readonly string[]): Promise<Dialogue> {
  const { address, password } = server.account(0)
  const dialogue = await server.connect('imaps')
  for (const command of [`LOGIN ${address} "${password}"`, ...commands]) {
    await dialogue.send(`a ${command}\r\n`)
    assert.match(await heard(dialogue, /^(?:a |\+ )/), /^(?:a OK|\+ )/, command)
  }
  return dialogue
}

/** The next line of that kind. */
async function heard(dialogue: Dialogue, wanted: RegExp): Promise<string> {
  for (;;) {
    const line = await dialogue.line()
    if (wanted.test(line)) return line
  }
}

async function letter(server: Server): Promise<void> {
  const dialogue = await server.smtp()
  await dialogue.command('MAIL FROM:<joe@remote.example>')
  await dialogue.command(`RCPT TO:<${server.account(0).address}>`)
  await dialogue.command('DATA')
  const { code, text } = await dialogue.command('Subject: x\r\n\r\nx\r\n.')
  assert.equal(code, 250, text)
  dialogue.end()
}

describe('two nodes on one PostgreSQL', { skip: binaries === undefined && noPostgres }, () => {
  if (binaries === undefined) return
  let cluster: Cluster
  let a: ClusterNode
  let b: ClusterNode
  before(async () => {
    cluster = await Cluster.open(binaries, {
      nodes: 2,
      senders: 2,
      restMs: 40,
      fsync: false,
      set: { 'limits.exempt': '127.0.0.1' },
    })
    ;[a, b] = cluster.nodes as [ClusterNode, ClusterNode]
  })
  after(async () => {
    await cluster?.close()
    clear()
  })

  test('each sees all, with one config', async () => {
    const seen = await nodes(a.server)
    const pids = seen.nodes.map(node => node.pid).sort((x, y) => x - y)
    assert.deepEqual(
      pids,
      [a.server.pid, b.server.pid].sort((x, y) => x - y),
    )
    assert.ok(seen.nodes.every(node => node.state === 'working' && node.silentMs < 10_000))
    assert.equal(seen.configsDiffer, false)
    await cluster.sql(`UPDATE @node SET epoch = 'other', seen_at = seen_at - 31000
      WHERE pid = ${b.server.pid}`)
    assert.ok((await nodes(a.server)).nodes.some(node => node.state === 'silent'))
    await cluster.sql(`UPDATE @node SET seen_at = seen_at + 31000 WHERE pid = ${b.server.pid}`)
    assert.equal((await nodes(a.server)).configsDiffer, true)
  })

  test('an account, a domain and a password that one node changes are known to the other in a second', async context => {
    const { server: one } = a
    const { server: other } = b
    assert.equal(await rcpt(other, `new@${other.domain}`), 550)
    assert.notEqual(await rcpt(other, 'joe@new.example'), 250)
    await ask(one, 'account.add', { address: `new@${one.domain}`, password: 'a long password' })
    const known = await until(
      'B knows the account',
      async () => (await rcpt(other, `new@${other.domain}`)) === 250,
    )
    await ask(one, 'domain.add', { name: 'new.example', catchAll: one.account(0).address })
    const domain = await until(
      'B knows the domain',
      async () => (await rcpt(other, 'joe@new.example')) === 250,
    )
    const [first, welcome] = await login(other, 0)
    assert.match(welcome, /^\+OK/)
    await first.ask('QUIT')
    await ask(one, 'account.password', { ...one.account(0), password: 'another password' })
    const password = await until('B forgets the old password', async () => {
      const [dialogue, status] = await login(other, 0)
      dialogue.end()
      return status.startsWith('-ERR') && !status.includes('IN-USE')
    })
    await ask(one, 'account.password', one.account(0))
    context.diagnostic(`known at the other node after ms: ${known} ${domain} ${password}`)
    assert.ok(Math.max(known, domain, password) < 1_000)
    await until('B knows the password again', async () => {
      const [dialogue, status] = await login(other, 0)
      await dialogue.ask('QUIT')
      return status.startsWith('+OK')
    })
  })

  test('whom one node bans the other turns away in a second, and lets in once either lifts it', async () => {
    const greeted = async () => {
      const socket = connect({
        port: b.server.port('smtp'),
        host: '127.0.0.1',
        localAddress: '127.0.0.7',
      })
      const [octets] = (await once(socket, 'data')) as [Buffer]
      socket.destroy()
      return octets.toString('latin1')
    }
    assert.match(await greeted(), /^220 /)
    await ask(a.server, 'ban.add', { network: '127.0.0.7', forMs: 60_000, reason: 'a test' })
    const banned = await until('B turns it away', async () =>
      /^421 4\.7\.0 .*turned away/.test(await greeted()),
    )
    const listed = await ask<OperationOutput<'ban.list'>>(b.server, 'ban.list')
    assert.deepEqual(
      listed.bans.map(({ network, reason, origin }) => [network, reason, origin]),
      [['127.0.0.7/32', 'a test', 'operator']],
    )
    await ask(b.server, 'ban.lift', { network: '127.0.0.7' })
    assert.match(await greeted(), /^220 /)
    assert.ok(banned < 1_000, `${banned} ms`)
  })

  test('one session has a maildrop, wherever the other asks, until it quits, or its node is dead', async () => {
    await letter(a.server)
    const [first, opened] = await login(a.server, 0)
    assert.match(opened, /^\+OK/)
    const [second, refused] = await login(b.server, 0)
    assert.match(refused, /^-ERR \[IN-USE\]/)
    await first.ask('QUIT')
    const [third, after] = await login(b.server, 0)
    assert.match(after, /^\+OK/, 'the lock is given back before +OK of QUIT is read')
    second.end()
    await third.ask('QUIT')

    // The lease of a session whose node the database did not hear from for too long is another's.
    const [lost, held] = await login(a.server, 0)
    assert.match(held, /^\+OK/)
    await lost.ask('DELE 1')
    await cluster.sql('UPDATE @maildrop_lock SET until_at = 0')
    const [taker, taken] = await login(b.server, 0)
    assert.match(taken, /^\+OK/, 'a lease that ended keeps nobody out')
    assert.match(await lost.ask('QUIT'), /^-ERR \[SYS\/TEMP\]/)
    assert.match(await taker.ask('STAT'), /^\+OK 1 /, 'nothing was removed')
    assert.match(await taker.ask('RETR 1'), /^\+OK/)
    await taker.multiline()
    await taker.ask('QUIT')
  })

  test('who waits in IDLE, or asked by NOTIFY, is told at once of mail that either node delivers', async context => {
    const idle = await imap(a.server, ['SELECT INBOX', 'IDLE'])
    const notified = await imap(a.server, ['NOTIFY SET (personal (MessageNew MessageExpunge))'])
    const waiters = [
      [idle, /^\* \d+ EXISTS/],
      [notified, /^\* STATUS "?INBOX"? /],
    ] as const
    const median = async (by: ClusterNode) => {
      const times: number[] = []
      for (let n = 0; n < 7; n++) {
        const told = waiters.map(async ([dialogue, line]) => {
          await heard(dialogue, line)
          return performance.now()
        })
        await letter(by.server)
        const committed = performance.now()
        times.push(Math.max(...(await Promise.all(told))) - committed)
      }
      return Math.round(times.sort((one, other) => one - other)[3] ?? 0)
    }
    const [across, here] = [await median(b), await median(a)]
    context.diagnostic(`told behind the answer to DATA after ms: ${across} across, ${here} at one`)
    assert.ok(across < 300, `${across} ms`)
    assert.ok(here < 100, `${here} ms`)
    idle.end()
    notified.end()
  })

  test('a node is not ready while it drains or its database is away, and healthy all the time', async () => {
    assert.equal(await http(a.server, '/ready'), 200)
    await cluster.postgres.kill()
    assert.equal(await http(a.server, '/ready'), 503)
    assert.equal(await http(a.server, '/health'), 200)
    await cluster.postgres.start()
    await until('A is ready again', async () => (await http(a.server, '/ready')) === 200)
    await until('B is ready again', async () => (await http(b.server, '/ready')) === 200)
  })

  test('a node of an older version works beside a newer one where the database says that it may', async () => {
    const url = await cluster.postgres.fresh()
    const world = { clock: nodeClock, random: nodeRandom, log: silent }
    const open = () => openPostgresStore({ url, ...world })
    await (await open()).close()
    const schema = /search_path%3D(\w+)/.exec(url)?.[1] ?? ''
    await cluster.postgres.sql(`INSERT INTO ${schema}.migration VALUES (999, 'later', 'x', 0)`)
    const store = await open()
    assert.deepEqual(await store.read(listNodes, null), [])
    await store.close()
    await cluster.postgres.sql(
      `UPDATE ${schema}.setting SET value = '999' WHERE name = 'database.since'`,
    )
    await assert.rejects(open(), /newer Postrider \(database version 999/)
  })

  test('one node after the other is restarted under load, and nobody loses anything', async context => {
    cluster.begin()
    await sleep(500)
    for (const node of cluster.nodes) {
      assert.deepEqual(await cluster.stop(node, 'SIGTERM'), { code: 0, signal: null })
      const [other] = cluster.nodes.filter(({ up }) => up)
      const left = (await nodes((other as ClusterNode).server)).nodes.map(({ pid }) => pid)
      assert.ok(!left.includes(node.server.pid), 'who stops leaves the list')
      const leases = await cluster.count(
        `state = 'leased' AND leased_by NOT IN (SELECT id FROM @node)`.replace('@', 'test_1.'),
      )
      assert.equal(leases, 0, 'leases are given back')
      await cluster.restart(node)
      await sleep(400)
    }
    const report = await cluster.judge()
    context.diagnostic(JSON.stringify(report))
    assert.ok(report.acknowledged > 10)
    assert.equal(report.deferred, 0)
  })

  test('whatever breaks, nothing acknowledged is lost or delivered twice, and UIDs never repeat', async context => {
    const taken = () =>
      cluster.nodes.reduce((sum, { load }) => sum + load.sent.acknowledged.size, 0)
    const [before, relayed] = [taken(), cluster.sink.messages.length]
    const report = await everythingBreaks(cluster)
    context.diagnostic(JSON.stringify(report))
    assert.ok(taken() > before + 30, `${taken()} behind ${before}`)
    assert.ok(cluster.sink.messages.length > relayed)
  })
})
