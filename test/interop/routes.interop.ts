/**
 * Routes of the config to real peers: Debian's UUCP by a program, Dovecot by LMTP, and a smart host (Exim)
 * that wants a login, behind another that is down.
 */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { type Dovecot, endDovecots, startDovecot } from './dovecot.ts'
import { endExims, startEximHop } from './exim.ts'
import { becomes, post } from './letter.ts'
import { bodyOf, takeOne } from './mailbox.ts'
import { find, lacks, run, until } from './program.ts'
import { freePort } from './sink.ts'

const servers: Server[] = []

after(async () => {
  endDovecots()
  endExims()
  for (const server of servers) {
    assert.deepEqual(server.faults(), [])
    await server.stop()
  }
  clear()
})

async function serve(set: Readonly<Record<string, string>>): Promise<Server> {
  const server = await startServer({ set: { ...set, 'log.level': 'debug' } })
  servers.push(server)
  return server
}

/** A UUCP site: its configuration, its spool, and how it reaches the other. */
async function uucpSite(name: string, other: string, call: string | undefined): Promise<string> {
  const folder = newFolder(`uucp-${name}`)
  const at = (part: string) => join(folder, part)
  for (const part of ['spool', 'public', 'bin']) mkdirSync(at(part))
  writeFileSync(
    at('config'),
    [
      `nodename ${name}`,
      `spool ${at('spool')}`,
      `pubdir ${at('public')}`,
      `logfile ${at('Log')}`,
      `statfile ${at('Stats')}`,
      `debugfile ${at('Debug')}`,
      `sysfile ${at('sys')}`,
      `portfile ${at('port')}`,
      // Not by itself: rmail is to find our sendmail.
      'run-uuxqt never',
      '',
    ].join('\n'),
  )
  const calling = call === undefined ? [] : ['port pipe', 'time any', 'chat ""']
  writeFileSync(
    at('sys'),
    [
      `system ${other}`,
      ...calling,
      'protocol i',
      'commands rmail',
      `command-path ${at('bin')} /usr/bin /bin`,
      '',
    ].join('\n'),
  )
  writeFileSync(at('port'), call === undefined ? '' : `port pipe\ntype pipe\ncommand ${call}\n`)
  await run({ file: '/bin/chown' }, ['-R', 'uucp:uucp', folder])
  chmodSync(folder, 0o755)
  return folder
}

const UUCICO = '/usr/sbin/uucico'

test('mail for a node that is no TCP host goes by uux, uucico, uuxqt and rmail to another server', {
  skip: lacks('uux', 'rmail', 'root'),
}, async () => {
  const there = await serve({})
  const site = await uucpSite('node', 'ours', undefined)
  const home = await uucpSite('ours', 'node', `${UUCICO} -I ${join(site, 'config')}`)
  const argv = [find('uux'), '-I', join(home, 'config'), '-', '-r', '-a{sender}']
  const pipe = { argv: [...argv, '{node}!rmail', '({user})'], fromLine: 'ours', user: 'uucp' }
  const ours = await serve({
    routes: JSON.stringify([{ match: { recipient: '@node.nje' }, to: { pipe } }]),
  })
  const [name = ''] = there.account(0).address.split('@')
  const content =
    'From: alice@demo.test\r\nSubject: by wire\r\n\r\nFrom far away\r\n.\r\n..dots\r\n'
  const id = await post(ours, { to: [`${name}@node.nje`], content })
  await becomes(ours, id, `${name}@node.nje`, 'relayed')

  const uid = Number((await run({ file: '/usr/bin/id' }, ['-u', 'uucp'])).text)
  const called = await run(
    { file: UUCICO },
    ['-I', join(home, 'config'), '-f', '-q', '-s', 'node'],
    {
      uid,
    },
  )
  assert.equal(called.code, 0, called.text)
  // Its local socket is for all users of the machine.
  chmodSync(there.data, 0o711)
  // rmail has sendmail's path built in: ours stands there, for this program and what it starts.
  const sendmail = join(site, 'bin', 'our-sendmail')
  const postrider = fileURLToPath(new URL('../../bin/postrider', import.meta.url))
  const set = `POSTRIDER_DATA=${there.data} POSTRIDER_ORIGIN=demo.test PATH=${process.env['PATH'] ?? ''}`
  writeFileSync(sendmail, `#!/bin/sh\nexec env ${set} ${postrider} sendmail "$@"\n`)
  chmodSync(sendmail, 0o755)
  symlinkSync(find('rmail') as string, join(site, 'bin', 'rmail'))
  const bound = `mount --bind ${sendmail} /usr/sbin/sendmail && exec uuxqt -I ${join(site, 'config')}`
  const ran = await run({ file: '/usr/bin/unshare' }, ['-m', '/bin/sh', '-c', bound])
  assert.equal(ran.code, 0, ran.text)
  const message = await takeOne(there)
  assert.equal(bodyOf(message), 'From far away\r\n.\r\n..dots\r\n')
  assert.match(message, /^Subject: by wire\r$/m)
  assert.match(message, /^Return-Path: <"?ours!alice/m)
})

test('a route leads to Dovecot by LMTP, and all else goes its usual way', {
  skip: lacks('dovecot', 'dovecot lmtp', 'root'),
}, async () => {
  const theirs: Dovecot = await startDovecot()
  const ours = await serve({
    'outbound.hops': JSON.stringify({ dovecot: { host: theirs.socket, protocol: 'lmtp' } }),
    routes: JSON.stringify([{ match: { recipient: '@box.test' }, to: { hop: 'dovecot' } }]),
  })
  const [, second] = ours.accounts
  const to = ['bob@box.test', 'nobody@box.test', second?.address ?? '']
  const id = await post(ours, { to })
  await becomes(ours, id, 'bob@box.test', 'delivered')
  assert.equal((await becomes(ours, id, 'nobody@box.test', 'failed')).status, '5.1.1')
  await until('the message', () => theirs.messages().find(text => text.includes(id)))
  await takeOne(ours, second)
})

test('a smart host that wants a login takes over from one that is down', {
  skip: lacks('exim4', 'root'),
}, async () => {
  const login = { username: 'joe', password: 'a pass word' }
  const theirs = await startEximHop(login)
  const down = await freePort()
  const face = { hostname: 'other.test', sourceAddress: '127.0.0.2' }
  const hop = (port: number, more = {}) => ({ host: '127.0.0.1', port, tls: 'never', ...more })
  const ours = await serve({
    'outbound.hops': JSON.stringify({
      down: hop(down),
      smart: hop(theirs.port, { ...login, ...face }),
    }),
    routes: JSON.stringify([{ match: { recipient: 'remote' }, to: { hop: ['down', 'smart'] } }]),
  })
  const id = await post(ours, { to: ['bob@far.test'] })
  await becomes(ours, id, 'bob@far.test', 'relayed')
  await until(
    "Exim's log of it",
    () => /H=\(other\.test\) \[127\.0\.0\.2\].* A=plain:joe/.exec(theirs.log()) ?? undefined,
  )
})
