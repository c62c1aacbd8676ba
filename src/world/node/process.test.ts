/** What our process can find out about itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findGroup, findUser, inheritedSockets } from './process.ts'

const PASSWD =
  'root:x:0:0:root:/root:/bin/sh\nmail:x:8:12:mail:/var/mail:/usr/sbin/nologin\nbroken\n'

test('users are found by name and number, groups by name', () => {
  const mail = { name: 'mail', uid: 8, gid: 12, home: '/var/mail' }
  assert.deepEqual(findUser('mail', PASSWD), mail)
  assert.deepEqual(findUser(8, PASSWD), mail)
  assert.equal(findUser('nobody', PASSWD), undefined)
  assert.equal(findGroup('adm', 'root:x:0:\nadm:x:4:syslog\n'), 4)
})

test('sockets of systemd are ours only when they are meant for this process', () => {
  const given = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'smtp:pop3' }
  assert.deepEqual(inheritedSockets(given, 42), [
    { fd: 3, name: 'smtp' },
    { fd: 4, name: 'pop3' },
  ])
  assert.deepEqual(inheritedSockets(given, 43), [])
  assert.deepEqual(inheritedSockets({}, 42), [])
})
