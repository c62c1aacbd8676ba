/**
 * Libraries that other people's programs are made with: Perl's, Ruby's and PHP's. Each lives a whole life by a session
 * of its own in its own language, which says what was not as it must be.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { clear, type ListenerName, type Server, startServer } from '../kit/server.ts'
import { takeAll } from './mailbox.ts'
import { lacks, type ProgramName, run } from './program.ts'
import { RawImap } from './raw-imap.ts'

let server: Server

before(async () => {
  server = await startServer()
})
after(async () => {
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})
beforeEach(async () => {
  await takeAll(server, server.account(0))
})

async function session(
  program: ProgramName,
  file: string,
  listeners: readonly ListenerName[],
): Promise<void> {
  const { address, password } = server.account(0)
  const ports = listeners.map(name => String(server.port(name)))
  const ran = await run(program, [join(import.meta.dirname, file), ...ports, address, password], {
    env: { LC_ALL: 'C.UTF-8' },
    timeoutMs: 90_000,
  })
  assert.equal(ran.code, 0, ran.text)
}

const ALL = ['submission', 'imap', 'imaps', 'pop3s'] as const

test('Net::SMTP, Mail::IMAPClient and Net::POP3', {
  skip: lacks('perl', 'perl Mail::IMAPClient', 'perl IO::Socket::SSL', 'perl Authen::SASL'),
}, async () => {
  await session('perl', 'perl-session.pl', ALL)
})

test('net/smtp, net/imap, net/pop and the gem mail', {
  skip: lacks('ruby', 'ruby mail'),
}, async () => {
  await session('ruby', 'ruby-session.rb', ALL)
})

test('c-client, as PHP has it', { skip: lacks('php', 'php imap') }, async () => {
  const imap = await RawImap.open(server, server.account(0))
  await imap.append('INBOX', 'From: Joe <joe@example.org>\r\nSubject: c-client\r\n\r\nhello\r\n')
  imap.close()
  await session('php', 'c-client-session.php', ['imap', 'imaps', 'pop3', 'pop3s'])
})
