/**
 * Transactions with a name (RFC 1845) on the real process: what broke off goes on where it stopped, also
 * where the receiver was killed, and what was accepted is accepted once, though its reply was lost.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DATABASE } from '../../src/server/folder.ts'
import type { Dialogue } from '../kit/dialogue.ts'
import { clear, newFolder, type Server, type ServerOptions, startServer } from '../kit/server.ts'

const config = join(newFolder('config'), 'postrider.json')
const CONFIG = { listeners: { smtp: { with: ['CHECKPOINT'] } } }
writeFileSync(config, JSON.stringify(CONFIG))
const start = (options: ServerOptions = {}) => startServer({ ...options, config })

/** Most tests have it one after the other, each with a name of its own for its transaction. */
let server: Server
let transactions = 0
let MAIL = ''

before(async () => {
  server = await start()
})
beforeEach(() => {
  MAIL = `MAIL FROM:<joe@remote.example> TRANSID=<${++transactions}@remote.example>`
})
after(clear)

/** Lines of many lengths, some of which begin with a dot. */
function letter(octets: number): string {
  let text = 'Subject: large\r\n\r\n'
  for (let n = 0; text.length < octets; n++) {
    text += `${n % 7 === 0 ? '.' : ''}${n} ${'x'.repeat((n * 31) % 900)}\r\n`
  }
  return text
}

const stuffed = (text: string) => text.replace(/^\./gm, '..')

/** MAIL, RCPT, DATA, and the first `octets` of the message. */
async function begin(server: Server, text: string, octets: number): Promise<Dialogue> {
  const smtp = await server.smtp()
  assert.equal((await smtp.command(MAIL)).code, 250)
  assert.equal((await smtp.command(`RCPT TO:<${server.account(1).address}>`)).code, 250)
  assert.equal((await smtp.command('DATA')).code, 354)
  await smtp.send(stuffed(text.slice(0, octets)))
  return smtp
}

/** The offset a new connection is told; undefined where the transaction is new. */
async function offsetOf(smtp: Dialogue): Promise<number | undefined> {
  for (let waits = 0; ; waits++) {
    const { code, text } = await smtp.command(MAIL)
    if (code === 451 && waits < 100) await sleep(20)
    else if (code === 250) return undefined
    else {
      assert.equal(code, 355, text)
      return Number(/^(?:355[ -])?(\d+) /.exec(text)?.[1])
    }
  }
}

async function goOn(smtp: Dialogue, text: string, offset: number): Promise<string> {
  assert.equal((await smtp.command('DATA')).code, 354)
  await smtp.send(stuffed(text.slice(offset)))
  const reply = await smtp.command('.')
  assert.equal(reply.code, 250, reply.text)
  return reply.text
}

/** The only message of the mailbox is this one; it is taken away. */
async function arrived(at: Server, text: string): Promise<void> {
  const [message, ...more] = await at.mail(at.account(1))
  assert.deepEqual(more, [])
  assert.ok(message?.toString('latin1').endsWith(text), 'octet for octet')
  const { code, out } = await at.run('check')
  assert.equal(code, 0, out)
  const reader = await at.pop3(at.account(1))
  await reader.ask('DELE 1')
  assert.match(await reader.ask('QUIT'), /^\+OK/)
}

test('a connection that breaks off costs nothing but the rest of a line', async () => {
  const text = letter(3_000_000)
  const cuts = [500, 200_001, 1_400_003, 2_999_990]
  for (const [i, cut] of cuts.entries()) {
    const smtp = i === 0 ? await begin(server, text, cut) : await server.smtp()
    if (i > 0) {
      const offset = await offsetOf(smtp)
      const expected = text.lastIndexOf('\r\n', (cuts[i - 1] as number) - 2) + 2
      assert.equal(offset, expected)
      assert.equal((await smtp.command('DATA')).code, 354)
      await smtp.send(stuffed(text.slice(offset, cut)))
    }
    smtp.socket.destroy()
    await sleep(20)
  }
  const smtp = await server.smtp()
  const offset = (await offsetOf(smtp)) ?? -1
  assert.ok(offset > 2_998_000)
  const first = await goOn(smtp, text, offset)
  smtp.end()
  // The same once more, as if the reply had been lost.
  const again = await server.smtp()
  assert.equal(await offsetOf(again), text.length)
  assert.equal(await goOn(again, '', 0), first)
  await again.command('QUIT')
  await arrived(server, text)
})

/** So many pieces of transactions are in its database. */
async function kept({ data }: Server, pieces: number): Promise<void> {
  const database = new DatabaseSync(join(data, DATABASE), { readOnly: true })
  const count = database.prepare('SELECT count(*) AS pieces FROM transfer_piece')
  while (Number(count.get()?.['pieces']) < pieces) await sleep(10)
  database.close()
}

test('a receiver that is killed goes on with what it had', async () => {
  const text = letter(6_000_000)
  const smtp = await begin(server, text, 4_500_000)
  // What the socket has taken is not yet with the server.
  await kept(server, 2)
  await server.stop('SIGKILL')
  smtp.end()
  server = await start({ data: server.data })
  const again = await server.smtp()
  const offset = (await offsetOf(again)) ?? 0
  assert.ok(offset > 2_000_000 && offset <= 4_500_000, `${offset}`)
  await goOn(again, text, offset)
  again.end()
  await arrived(server, text)
})

test('killed between the commit and the reply, a receiver takes no second copy', async () => {
  const text = letter(10_000)
  const smtp = await begin(server, text, text.length)
  await smtp.send('.\r\n')
  while ((await server.mail(server.account(1))).length === 0) await sleep(5)
  await server.stop('SIGKILL')
  smtp.end()
  server = await start({ data: server.data })
  const again = await server.smtp()
  assert.equal(await offsetOf(again), text.length)
  assert.match(await goOn(again, '', 0), /queued as /)
  again.end()
  await arrived(server, text)
})

test("a name is its peer's alone, and stands for one envelope", async () => {
  const text = letter(5_000)
  const smtp = await begin(server, text, 2_000)
  const other = await server.smtp()
  assert.match((await other.command(MAIL)).text, /451|under way/)
  smtp.socket.destroy()
  assert.ok(((await offsetOf(other)) ?? 0) > 0)
  // Another recipient, or another sender, would be another transaction.
  assert.equal((await other.command(`RCPT TO:<${server.account(0).address}>`)).code, 503)
  assert.equal((await other.command(`RCPT TO:<${server.account(1).address}>`)).code, 250)
  other.socket.destroy()
  const liar = await server.smtp()
  await sleep(50)
  const changed = MAIL.replace('joe@', 'jim@')
  assert.equal((await liar.command(changed)).code, 554)
  // Who calls himself otherwise has names of his own.
  await liar.command('EHLO other.example')
  assert.equal((await liar.command(MAIL)).code, 250)
  await liar.command('EHLO client.example')
  assert.ok(((await offsetOf(liar)) ?? 0) > 0)
  // RFC 1845 §3: RSET, QUIT or a new transaction give it up.
  await liar.command('RSET')
  assert.equal(await offsetOf(liar), undefined)
  liar.end()
})

test('over the quota nothing is kept, and the message is taken all the same', async () => {
  const little = { checkpoint: { perPeer: '1MB' }, limits: { messageSize: '3MB' } }
  writeFileSync(config, JSON.stringify({ ...CONFIG, ...little }))
  await server.reload()
  const text = letter(2_500_000)
  const smtp = await begin(server, text, 2_000_000)
  smtp.socket.destroy()
  const again = await server.smtp()
  assert.equal(await offsetOf(again), undefined)
  await again.command('RSET')
  const whole = await begin(server, text, text.length)
  assert.equal((await whole.command('.')).code, 250)
  whole.end()
  await arrived(server, text)
})

test('what is refused at its end is judged anew', async () => {
  const text = letter(3_500_000)
  const smtp = await begin(server, text, text.length)
  assert.equal((await smtp.command('.')).code, 552)
  assert.equal(await offsetOf(smtp), undefined)
  smtp.end()
  await server.stop()
})
