/**
 * Transactions with a name (RFC 1845) on the real process: what broke off goes on where it stopped, also
 * where the receiver was killed, and what was accepted is accepted once, though its reply was lost.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialogue } from '../kit/dialogue.ts'
import { clear, type Server, type ServerOptions, startServer } from '../kit/server.ts'

after(clear)

const MAIL = 'MAIL FROM:<joe@remote.example> TRANSID=<12345@remote.example>'

const start = (options: ServerOptions = {}) =>
  startServer({ ...options, set: { 'listeners.smtp.with': 'CHECKPOINT', ...options.set } })

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

/** The only message of the mailbox is this one. */
async function arrived(server: Server, text: string): Promise<void> {
  const mail = await server.mail(server.account(1))
  assert.equal(mail.length, 1)
  const whole = (mail[0] as Buffer).toString('latin1')
  assert.ok(whole.endsWith(text), 'octet for octet')
  const { code, out } = await server.run('check')
  assert.equal(code, 0, out)
}

test('a connection that breaks off costs nothing but the rest of a line', async () => {
  const server = await start()
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
  await arrived(server, text)
  // The same once more, as if the reply had been lost.
  const again = await server.smtp()
  assert.equal(await offsetOf(again), text.length)
  assert.equal(await goOn(again, '', 0), first)
  await again.command('QUIT')
  await arrived(server, text)
  await server.stop()
})

test('a receiver that is killed goes on with what it had', async () => {
  const server = await start()
  const text = letter(6_000_000)
  const smtp = await begin(server, text, 4_500_000)
  // What the socket has taken is not yet with the server: it must have had the time to read it.
  await sleep(700)
  await server.stop('SIGKILL')
  smtp.end()
  const next = await start({ data: server.data })
  await sleep(300)
  const smtp2 = await next.smtp()
  const offset = (await offsetOf(smtp2)) ?? 0
  assert.ok(offset > 2_000_000 && offset <= 4_500_000, `${offset}`)
  await goOn(smtp2, text, offset)
  smtp2.end()
  await arrived(next, text)
  await next.stop()
})

test('killed between the commit and the reply, a receiver takes no second copy', async () => {
  const server = await start()
  const text = letter(10_000)
  const smtp = await begin(server, text, text.length)
  await smtp.send('.\r\n')
  while ((await server.mail(server.account(1))).length === 0) await sleep(5)
  await server.stop('SIGKILL')
  smtp.end()
  const next = await start({ data: server.data })
  const smtp2 = await next.smtp()
  assert.equal(await offsetOf(smtp2), text.length)
  assert.match(await goOn(smtp2, '', 0), /queued as /)
  smtp2.end()
  await arrived(next, text)
  await next.stop()
})

test("a name is its peer's alone, and stands for one envelope", async () => {
  const server = await start()
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
  await server.stop()
})

test('over the quota nothing is kept, and the message is taken all the same', async () => {
  const server = await start({ set: { 'checkpoint.perPeer': '1MB' } })
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
  await server.stop()
})

test('what is refused at its end is judged anew', async () => {
  const server = await start({ set: { 'limits.messageSize': 3_000 } })
  const text = letter(5_000)
  const smtp = await begin(server, text, text.length)
  assert.equal((await smtp.command('.')).code, 552)
  assert.equal(await offsetOf(smtp), undefined)
  smtp.end()
  await server.stop()
})
