/**
 * Message tracking from end to end, on the real process (RFC 3885 to 3887): a message is marked, goes here and
 * elsewhere, and its sender asks what became of it.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clear, newFolder, run, type Server, startServer } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'

/** What is for far.example goes to a server that tracks, all else for others to a sink that does not. */
let sink: Sink
let far: Server
let server: Server

before(async () => {
  sink = await Sink.open()
  far = await startServer({
    set: { 'listeners.mtqp.enabled': true, 'listeners.smtp.with': 'MTRK' },
  })
  const config = join(newFolder('config'), 'postrider.json')
  const at = (port: number) => ({ host: '127.0.0.1', port, tls: 'never' })
  const hops = { far: { ...at(far.port('smtp')), senders: [] } }
  const rules = {
    listeners: { mtqp: { enabled: true } },
    outbound: { smarthost: at(sink.port), hops },
    routes: [{ match: { recipient: '*@far.example' }, to: { hop: 'far' } }],
  }
  writeFileSync(config, JSON.stringify(rules))
  server = await startServer({ config })
})
after(() => {
  clear()
  sink.close()
})

const certifierOf = (secret: Buffer) =>
  createHash('sha1').update(secret).digest('base64').replace('=', '')

async function submit(server: Server, mail: string, to: readonly string[]): Promise<void> {
  const smtp = await server.submission()
  const { code, text } = await smtp.command(`MAIL FROM:<${server.account(0).address}> ${mail}`)
  assert.equal(code, 250, text)
  for (const address of to) assert.equal((await smtp.command(`RCPT TO:<${address}>`)).code, 250)
  await smtp.command('DATA')
  assert.equal((await smtp.command('Subject: x\r\n\r\nx\r\n.')).code, 250)
  smtp.end()
}

function ask(server: Server, name: string, secret: Buffer, ...more: readonly string[]) {
  const place = `127.0.0.1:${server.port('mtqp')}`
  const named = more.length > 0 ? more : ['--name', 'mail.demo.test']
  const proof = secret.toString('base64')
  return run(['track', name, '--server', place, '--secret', proof, ...named])
}

test('who marked a message learns what became of it, and nobody else does', async () => {
  const [joe, jane] = [server.account(0).address, server.account(1).address]
  assert.equal((await server.run('alias', 'add', `all@${server.domain}`, joe, jane)).code, 0)
  const secret = randomBytes(20)
  const to = [jane, 'far@elsewhere.example', `all@${server.domain}`]
  await submit(server, `MTRK=${certifierOf(secret)}:600 ENVID=1+2B1@x.example`, to)
  await submit(server, `MTRK=${certifierOf(secret)}:0 ENVID=2@x.example`, [jane])
  await submit(server, 'ENVID=3@x.example', [jane])
  let out = ''
  for (let waits = 0; waits < 200 && !/Action: relayed/.test(out); waits++) {
    await sleep(25)
    out = (await ask(server, '1+1@x.example', secret)).out
  }
  const groups = out.split('\n\n').slice(2)
  assert.match(out, /^Content-Type: multipart\/related; type="message\/tracking-status";/)
  assert.match(out, /\nContent-Type: message\/tracking-status\n/)
  assert.match(groups[0] ?? '', /^Original-Envelope-Id: 1\+1@x\.example\nReporting-MTA: dns; /)
  const of = (address: string) =>
    groups.find(text => text.includes(`Final-Recipient: rfc822; ${address}\n`))
  assert.match(
    of(jane) ?? '',
    /^Original-Recipient: rfc822; .*\n.*\nAction: delivered\nStatus: 2\.0\.0/,
  )
  // The sink does not track.
  assert.match(
    of('far@elsewhere.example') ?? '',
    /Action: relayed\nStatus: 2\.1\.9\nRemote-MTA: dns; .*\nLast-Attempt-Date: /,
  )
  // Who is behind a list is not told.
  assert.match(of(`all@${server.domain}`) ?? '', /Action: expanded\n/)
  assert.equal(groups.filter(text => text.includes('Final-Recipient: ')).length, 3)

  for (const [name, guess] of [
    ['1+1@x.example', randomBytes(20)],
    ['4@x.example', secret],
    ['2@x.example', secret],
    ['3@x.example', secret],
    ['3@x.example', Buffer.alloc(20)],
  ] as const) {
    const { code, err } = await ask(server, name, guess)
    assert.equal(code, 67, name)
    assert.match(err, /-ERR\/noinfo no information on such a message/)
  }
  // In the clear as well, where one wants it so.
  assert.equal((await ask(server, '1+1@x.example', secret, '--clear')).code, 0)
})

test('a hop that tracks is named, and asked next with the same secret', async () => {
  assert.equal((await far.run('domain', 'add', 'far.example')).code, 0)
  for (const [name, at] of [
    ['bob', 1],
    ['carol', 1],
    ['one', 0],
    ['dave', 0],
  ] as const)
    assert.equal(
      (await far.run('alias', 'add', `${name}@far.example`, far.account(at).address)).code,
      0,
    )
  const secret = randomBytes(20)
  // RFC 3885 §3.3: where an alias leads to one, the mark goes with him; to several, with none of them.
  const alias = async (name: string, ...to: readonly string[]) =>
    assert.equal((await server.run('alias', 'add', `${name}@${server.domain}`, ...to)).code, 0)
  await alias('many', 'carol@far.example', 'dave@far.example')
  await alias('single', 'one@far.example')
  const to = ['bob@far.example', `many@${server.domain}`, `single@${server.domain}`]
  await submit(server, `MTRK=${certifierOf(secret)} ENVID=5@x.example`, to)
  let out = ''
  for (let waits = 0; waits < 100 && !/Action: transferred/.test(out); waits++) {
    await sleep(25)
    out = (await ask(server, '5@x.example', secret)).out
  }
  assert.match(out, /Action: transferred\nStatus: 2\.4\.0\nRemote-MTA: dns; /)
  let mail = 0
  for (let waits = 0; waits < 100 && mail < 4; waits++) {
    await sleep(25)
    mail = 0
    for (const at of [0, 1]) mail += (await far.mail(far.account(at))).length
  }
  assert.equal(mail, 4)
  const next = (await ask(far, '5@x.example', secret)).out
  assert.match(next, /Final-Recipient: rfc822; one@far\.example\nAction: delivered\n/)
  assert.doesNotMatch(next, /carol|dave/)
  assert.match(next, /Final-Recipient: rfc822; bob@far\.example\nAction: delivered\n/)
  assert.doesNotMatch(next, new RegExp(far.account(1).address))
  await Promise.all([server.stop(), far.stop()])
})
