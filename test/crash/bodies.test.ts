/**
 * A real process with bodies in object storage, through an outage of it: new large mail waits with a 4xx, small
 * mail goes on, and nothing that was taken is lost. Of several nodes: nodes.test.ts.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FakeObjectStore, inBucket, startObjectStore } from '../kit/object-store.ts'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'

/** More than one part of an upload. */
const LARGE_OCTETS = 5_400_000
const LONG_LINE = `${'long line '.repeat(70)}\r\n`

let fake: FakeObjectStore
let sink: Sink
/** Has lived through all the tests before the one that looks. */
let server: Server
/** Of what there was behind the outage. */
const copy = join(newFolder('backup'), 'copy')

before(async () => {
  fake = await startObjectStore()
  sink = await Sink.open()
  const set = { ...inBucket(fake), 'queue.retry': '1s', 'outbound.tls': 'never' }
  server = await startServer({ set, smarthost: `127.0.0.1:${sink.port}` })
})
after(async () => {
  clear()
  sink.close()
  await fake.stop()
})

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
  const made = await server.run('backup', copy)
  assert.equal(made.code, 0, made.out)
  assert.equal(readdirSync(join(copy, 'bodies')).length, 2)
})

test('queued mail waits while its body cannot be read, and leaves when it can', async () => {
  const before = fake.objects.size
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
  assert.equal(fake.objects.size, before + 1)
  fake.weather = () => undefined
  for (let waits = 0; sink.messages.length === 0 && waits < 400; waits++) await sleep(25)
  assert.equal(sink.messages.length, 1)
  assert.ok(sink.messages[0]?.toString('latin1').includes(large.trimEnd()))
  dialogue.end()
})

test('a body that is damaged in the bucket is never handed out', async () => {
  const before = new Set(fake.objects.keys())
  assert.equal(await send(server, letter('e-damaged', 300_000)), 250)
  await arrived(server, ['a-large', 'c-small', 'd-again', 'e-damaged'])
  const [key] = [...fake.objects.keys()].filter(name => !before.has(name))
  const stored = fake.objects.get(key ?? '')
  assert.ok(stored)
  stored.body[1_000] = (stored.body[1_000] ?? 0) ^ 1
  const reader = await server.pop3(server.account(1))
  assert.match(await reader.ask('RETR 4'), /^-ERR \[SYS\/TEMP\]/)
  reader.end()
  fake.objects.clear()
  const { code, out } = await server.run('check')
  assert.notEqual(code, 0)
  assert.match(out, /is missing/)
  await server.stop()
})

test('what was kept of it in a backup is whole without the bucket', async () => {
  await fake.stop()
  const restored = await startServer({ data: copy, beside: server })
  const mail = await arrived(restored, ['a-large', 'c-small', 'd-again'])
  assert.ok(mail[0]?.toString('latin1').includes(letter('a-large', LARGE_OCTETS).trimEnd()))
  await restored.stop()
})
