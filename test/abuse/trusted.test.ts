/**
 * XCLIENT and XFORWARD at a real server: whom a trusted peer speaks for counts in limits, Received, the
 * ledger and the next hop; a smart host is told by XFORWARD whom a message came from.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { clear, type Server, startServer } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'

let server: Server
let hop: Sink
before(async () => {
  hop = await Sink.open(0, '127.0.0.1', {
    extensions: ['XFORWARD NAME ADDR PROTO HELO IDENT SOURCE'],
    refuses: /postmaster@/,
  })
  server = await startServer({
    set: {
      'listeners.smtp.xclient': '127.0.0.1',
      'listeners.submission.xclient': '127.0.0.1',
      'listeners.smtp.xforward': '127.0.0.1',
      'outbound.smarthost': JSON.stringify({
        host: '127.0.0.1',
        port: hop.port,
        tls: 'never',
        xforward: true,
      }),
    },
  })
})
after(() => {
  clear()
  hop.close()
})

/** The newest message of an account, once there are so many. */
async function newest(of: Server, count: number): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const mail = await of.mail()
    if (mail.length >= count) return (mail.at(-1) as Buffer).toString()
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error('no mail came')
}

/** What the ledger shows of the message that a 250 has named. */
async function traceOf(of: Server, accepted: string): Promise<string> {
  const id = /queued as (\S+)/.exec(accepted)?.[1] ?? ''
  return (await of.run('trace', id)).out
}

test('Received names the client that XCLIENT told, and a login stands in for AUTH', async () => {
  const { address } = server.account()
  const dialogue = await server.smtp()
  const reset = await dialogue.command(
    'XCLIENT NAME=client.example ADDR=198.51.100.7 HELO=hello.example PROTO=ESMTP',
  )
  assert.equal(reset.code, 220)
  for (const command of ['MAIL FROM:<a@client.example>', `RCPT TO:<${address}>`]) {
    assert.equal((await dialogue.command(command)).code, 250)
  }
  assert.equal((await dialogue.command('DATA')).code, 354)
  assert.equal((await dialogue.command('Subject: x\r\n\r\n.')).code, 250)
  assert.match(
    await newest(server, 1),
    /Received: from hello\.example \(client\.example\s+\[198\.51\.100\.7\]\)/,
  )
  const user = await server.smtp('submission')
  assert.equal((await user.command(`XCLIENT LOGIN=${address}`)).code, 220)
  assert.equal((await user.command('EHLO x')).code, 250)
  assert.equal((await user.command(`MAIL FROM:<${address}>`)).code, 250)
  assert.equal((await user.command('RSET')).code, 250)
  assert.equal((await user.command('XCLIENT LOGIN=nobody@example.org')).code, 501)
  assert.equal((await user.command('XCLIENT ADDR=198.51.100.7')).code, 220)
  assert.equal((await user.command('EHLO x')).code, 250)
  assert.equal((await user.command(`MAIL FROM:<${address}>`)).code, 530)
})

test('the ledger names whom XFORWARD told', async () => {
  const dialogue = await server.smtp()
  const told = 'XFORWARD NAME=client.example ADDR=IPV6:2001:db8::7 HELO=hello.example'
  assert.equal((await dialogue.command(told)).code, 250)
  await dialogue.command('MAIL FROM:<a@client.example>')
  await dialogue.command(`RCPT TO:<${server.account().address}>`)
  await dialogue.command('DATA')
  const accepted = await dialogue.command('Subject: y\r\n\r\n.')
  const shown = await traceOf(server, accepted.text)
  assert.match(shown, /hello\.example \[2001:db8::7\] by way of client\.example \[127\.0\.0\.1\]/)
})

test('a smart host is told whom a message came from', async () => {
  const dialogue = await server.submission()
  await dialogue.command(`MAIL FROM:<${server.account().address}>`)
  // The hop refuses this recipient, so that the ledger shows the dialogue.
  await dialogue.command('RCPT TO:<postmaster@elsewhere.example>')
  await dialogue.command('DATA')
  const accepted = await dialogue.command('Subject: z\r\n\r\n.')
  assert.equal(accepted.code, 250, accepted.text)
  let shown = ''
  for (let tries = 0; tries < 50 && !/C: QUIT|C: DATA/.test(shown); tries++) {
    shown = await traceOf(server, accepted.text)
  }
  const id = /queued as (\S+)/.exec(accepted.text)?.[1]
  assert.match(shown, /C: XFORWARD .*ADDR=127\.0\.0\.1 .*HELO=client\.example .*SOURCE=REMOTE/)
  assert.ok(shown.includes(` IDENT=${id} `), shown)
})
