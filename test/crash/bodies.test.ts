/**
 * Real processes with bodies in object storage, on SQLite and on PostgreSQL, through an outage of it: new
 * large mail waits with a 4xx, small mail goes on, and nothing that was taken is lost.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FakeObjectStore, startObjectStore } from '../kit/object-store.ts'
import { findPostgres, noPostgres, type PostgresServer, startPostgres } from '../kit/postgres.ts'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'

/** More than one part of an upload. */
const LARGE_OCTETS = 5_400_000
const LONG_LINE = `${'long line '.repeat(70)}\r\n`

after(clear)

function inBucket(fake: FakeObjectStore): Record<string, string> {
  const { endpoint, bucket, region, accessKey, secretKey } = fake
  const s3 = { endpoint, bucket, region, accessKey, secretKey }
  return {
    'bodies.in': 's3',
    ...Object.fromEntries(Object.entries(s3).map(([name, value]) => [`bodies.s3.${name}`, value])),
  }
}

const letter = (subject: string, octets: number) =>
  `Subject: ${subject}\r\n\r\n${`${subject} `.padEnd(70, 'x')}\r\n`.padEnd(octets, LONG_LINE)

/** Sends to the second account; the code of the answer. */
async function send(server: Server, text: string, to = server.account(1).address): Promise<number> {
  const dialogue = await server.smtp('smtp')
  await dialogue.command('MAIL FROM:<out@elsewhere.example>')
  await dialogue.command(`RCPT TO:<${to}>`)
  await dialogue.command('DATA')
  await dialogue.send(text.endsWith('\r\n') ? text : `${text}\r\n`)
  const { code } = await dialogue.command('.')
  dialogue.end()
  return code
}

async function arrived(server: Server, subjects: readonly string[]): Promise<Buffer[]> {
  for (let waits = 0; waits < 200; waits++) {
    const dialogue = await server.pop3(server.account(1))
    const count = Number((await dialogue.ask('STAT')).split(' ')[1])
    await dialogue.ask('QUIT')
    if (count === subjects.length) break
    await sleep(25)
  }
  const mail = await server.mail(server.account(1))
  const found = mail.map(m => /^Subject: (.*)\r$/m.exec(m.toString('latin1', 0, 4_000))?.[1] ?? '')
  const order = mail.map((_, i) => i).sort((i, j) => ((found[i] ?? '') < (found[j] ?? '') ? -1 : 1))
  assert.deepEqual(
    order.map(i => found[i]),
    subjects,
  )
  return order.map(i => mail[i] as Buffer)
}

async function ready(server: Server): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${server.port('http')}/ready`)
  return { status: answer.status, text: await answer.text() }
}

test('an outage of object storage defers large mail, and what was taken is read after it', async () => {
  const fake = await startObjectStore()
  const server = await startServer({ set: inBucket(fake) })
  const large = letter('a-large', LARGE_OCTETS)
  assert.equal(await send(server, large), 250)
  const [read] = await arrived(server, ['a-large'])
  assert.ok(read?.toString('latin1').includes(large.trimEnd()), 'octet for octet')
  assert.ok(fake.largest <= 5 * 1_048_576, 'in parts')
  assert.equal(fake.objects.size, 1)
  assert.deepEqual(await ready(server), { status: 200, text: '{"ready":true}' })

  await fake.stop()
  assert.equal(await send(server, letter('b-lost', LARGE_OCTETS)), 451)
  assert.equal(await send(server, letter('c-small', 900)), 250)
  const reader = await server.pop3(server.account(1))
  assert.match(await reader.ask('RETR 1'), /^-ERR \[SYS\/TEMP\]/)
  assert.match(await reader.ask('NOOP'), /^\+OK/)
  await reader.ask('QUIT')
  const lame = await ready(server)
  assert.equal(lame.status, 200)
  assert.match(lame.text, /"degraded":".*object store cannot be reached/)

  await fake.start()
  assert.equal(await send(server, letter('d-again', 200_000)), 250)
  await arrived(server, ['a-large', 'c-small', 'd-again'])
  const checked = await server.run('check')
  assert.equal(checked.code, 0, checked.out)
  const to = join(newFolder('backup'), 'copy')
  const made = await server.run('backup', to)
  assert.equal(made.code, 0, made.out)
  assert.equal(readdirSync(join(to, 'bodies')).length, 2)
  await server.stop()

  await fake.stop()
  // Without the bucket, from the backup.
  const restored = await startServer({ data: to, beside: server })
  const mail = await arrived(restored, ['a-large', 'c-small', 'd-again'])
  assert.ok(mail[0]?.toString('latin1').includes(large.trimEnd()))
  await restored.stop()
})

test('a body that is damaged in the bucket is never handed out', async () => {
  const fake = await startObjectStore()
  const server = await startServer({ set: inBucket(fake) })
  assert.equal(await send(server, letter('damaged', 300_000)), 250)
  await arrived(server, ['damaged'])
  const [stored] = fake.objects.values()
  if (stored) stored.body[1_000] = 0
  const reader = await server.pop3(server.account(1))
  assert.match(await reader.ask('RETR 1'), /^-ERR \[SYS\/TEMP\]/)
  reader.end()
  fake.objects.clear()
  const { code, out } = await server.run('check')
  assert.notEqual(code, 0)
  assert.match(out, /is missing/)
  await server.stop()
  await fake.stop()
})

test('queued mail waits while its body cannot be read, and leaves when it can', async () => {
  const fake = await startObjectStore()
  const sink = await Sink.open()
  const set = { ...inBucket(fake), 'queue.retry': '1s', 'outbound.tls': 'never' }
  const server = await startServer({ set, smarthost: `127.0.0.1:${sink.port}` })
  fake.weather = request =>
    request.startsWith('GET')
      ? { status: 503 }
      : request.includes('partNumber=1')
        ? { deaf: true }
        : undefined
  const from = server.account(0)
  const dialogue = await server.submission(from)
  await dialogue.command(`MAIL FROM:<${from.address}>`)
  await dialogue.command('RCPT TO:<far@elsewhere.example>')
  await dialogue.command('DATA')
  // The answers to its first part are lost, again and again: it is refused for now, and nothing stays.
  const large = letter('queued', LARGE_OCTETS)
  await dialogue.send(`${large}\r\n`)
  assert.equal((await dialogue.command('.')).code, 451)
  fake.weather = request => (request.startsWith('GET') ? { status: 503 } : undefined)
  await dialogue.command(`MAIL FROM:<${from.address}>`)
  await dialogue.command('RCPT TO:<far@elsewhere.example>')
  await dialogue.command('DATA')
  await dialogue.send(`${large}\r\n`)
  assert.equal((await dialogue.command('.')).code, 250)
  await sleep(2_500)
  assert.equal(sink.messages.length, 0)
  assert.equal(fake.objects.size, 1)
  fake.weather = () => undefined
  for (let waits = 0; sink.messages.length === 0 && waits < 400; waits++) await sleep(25)
  assert.equal(sink.messages.length, 1)
  assert.ok(sink.messages[0]?.toString('latin1').includes(large.trimEnd()))
  await server.stop()
  sink.close()
  await fake.stop()
})

const binaries = findPostgres()
describe('several nodes', { skip: binaries ? false : noPostgres }, () => {
  let postgres: PostgresServer | undefined
  after(() => postgres?.stop())
  for (const where of ['the database', 'a bucket', 'a shared folder'] as const) {
    test(`a large body that one node took is read at another, from ${where}`, async () => {
      if (binaries === undefined) return
      postgres ??= await startPostgres(binaries)
      const fake = await startObjectStore()
      const database = await postgres.fresh()
      const place = {
        'the database': {},
        'a bucket': inBucket(fake),
        'a shared folder': { 'bodies.in': 'directory', 'bodies.directory': newFolder('shared') },
      }[where]
      const set = { database, 'bodies.inlineUpTo': '0', ...place }
      const a = await startServer({ set })
      const b = await startServer({ set, beside: a })
      const large = letter('large', 700_000)
      assert.equal(await send(a, large), 250)
      assert.equal(await send(b, letter('small', 900)), 250)
      const mail = await arrived(b, ['large', 'small'])
      assert.ok(mail.some(m => m.toString('latin1').includes(large.trimEnd())))
      const schema = /search_path%3D(\w+)/.exec(database)?.[1]
      const bodies = await postgres.sql(`SELECT staged IS NOT NULL AS out FROM ${schema}.body`)
      assert.deepEqual(bodies, [{ out: true }, { out: true }])
      for (const server of [a, b]) {
        const { code, out } = await server.run('check')
        assert.equal(code, 0, out)
      }
      const reader = await b.pop3(b.account(1))
      await reader.ask('DELE 1')
      await reader.ask('DELE 2')
      await reader.ask('QUIT')
      if (where === 'a bucket') assert.equal(fake.objects.size, 2, 'nobody who reads is hurt')
      await Promise.all([a.stop(), b.stop()])
      await fake.stop()
    })
  }
})
