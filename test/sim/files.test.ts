/** Mail into files and programs in the town: whole or not at all, whenever the machine stops. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../../src/mail/address.ts'
import type { Envelope } from '../../src/mail/envelope.ts'
import type { Config } from '../../src/server/settings/settings.ts'
import { reader } from '../../src/store/store.ts'
import { sendMail } from '../../src/transport/send.ts'
import { toldOf } from './oracle.ts'
import { createTown, type Town } from './town.ts'

const config: Config = {
  routes: [
    { match: { recipient: 'box@*' }, to: { mbox: '/mail/box' } },
    { match: { recipient: 'dir@*' }, to: { maildir: '/mail/dir' } },
    { match: { recipient: '@*.users.test' }, to: { maildir: '/users/{user}/Maildir' } },
    { match: { recipient: '@spool.test' }, to: { mbox: '/spool/{user}' } },
    {
      match: { recipient: '@node.nje' },
      to: {
        pipe: {
          argv: ['/usr/bin/uux', '-', '-a{sender}', '{node}!rmail', '({user})'],
          fromLine: 'us',
        },
      },
    },
    {
      match: { recipient: '@all.nje' },
      to: { pipe: { argv: ['/usr/bin/all', '{recipients}'], timeout: '20s' } },
    },
  ],
}

const aTown = (seed: string): Promise<Town> =>
  createTown({ seed, servers: [{ domain: 'a.test', accounts: ['alice'], config }] })

const states = reader('town.states', (tx, _: null) =>
  tx.all<{ address: string; state: string; status: string; reason: string; remote: string }>(
    `SELECT address, state, status, reason, remote FROM recipient ORDER BY message_id, n`,
  ),
)

function rowsOf(town: Town) {
  const { store } = town.server('a.test')
  return town.internet.complete(store.read(states, null))
}

/** The messages of an mbox, as who reads mboxrd finds them. */
function messagesIn(mbox: string): string[] {
  return mbox === '' ? [] : mbox.split(/(?<=^|\n\n)(?=From \S+ [A-Z])/)
}

const OTHERS = 'From x@y Thu Jan  1 00:00:00 2026\nSubject: others\n\nthis was here before\n\n'
const LETTER = 'a letter\r\nFrom here on it is quoted\r\n.\r\nend'
const QUOTED = '\n\na letter\n>From here on it is quoted\n.\nend\n'

test('an mbox that another program has locked by fcntl is waited for, and the mail comes back later', async () => {
  for (const seconds of [10, 50]) {
    const town = await aTown('fcntl')
    const { files } = town.server('a.test').host
    files.put('/mail/box', OTHERS)
    files.taken.add('/mail/box')
    town.later(seconds * 1000, () => files.taken.delete('/mail/box'))
    await town.send({ from: 'alice@a.test', to: ['box@x.test'], body: LETTER })
    await town.advance('40 seconds')
    const [row] = await rowsOf(town)
    assert.equal(row?.state, seconds < 30 ? 'delivered' : 'queued')
    if (seconds > 30) assert.equal(row?.reason, 'somebody else has locked it')
    await town.advance('5 minutes')
    assert.equal(messagesIn(files.text('/mail/box') ?? '').length, 2)
    assert.equal(files.text('/mail/box.lock'), undefined)
  }
})

test('a message is whole in an mbox and in a Maildir, with its trace in front', async () => {
  const town = await aTown('files')
  const { files } = town.server('a.test').host
  files.put('/mail/box', OTHERS.trimEnd())
  await town.send({ from: 'alice@a.test', to: ['box@x.test', 'dir@x.test'], body: LETTER })
  await town.advance('1 minute')
  const box = files.text('/mail/box') ?? ''
  const [others, mine = ''] = messagesIn(box)
  assert.equal(others, OTHERS)
  const front =
    /^From alice@a\.test Tue Jan {2}1 \S+ 2030\nReturn-Path: <alice@a\.test>\nDelivered-To: box@x\.test\nReceived: /
  assert.match(mine, front)
  assert.ok(mine.endsWith(`${QUOTED}\n`), mine)
  assert.ok(!mine.includes('\r'))
  const [path = '', ...more] = files.list('/mail/dir')
  assert.deepEqual(more, [])
  assert.match(path, /^\/mail\/dir\/new\/\w+\.[0-9a-f]{16}\.mx\.a\.test$/)
  const mail = files.text(path) ?? ''
  assert.match(mail, /^Return-Path: <alice@a\.test>\nDelivered-To: dir@x\.test\nReceived: /)
  assert.ok(mail.endsWith(QUOTED.replace('>From', 'From')))
  assert.deepEqual(
    files.list('/mail').filter(name => name.includes('lock')),
    [],
  )
  const rows = await rowsOf(town)
  assert.deepEqual(
    rows.map(({ state, remote }) => `${state} ${remote}`),
    ['delivered mbox:/mail/box', 'delivered maildir:/mail/dir'],
  )
  assert.deepEqual(await town.internet.complete(town.server('a.test').findings()), [])
})

test('under a name stands who is there already, and nobody else', async () => {
  const town = await aTown('names')
  const { files } = town.server('a.test').host
  files.put('/users/bob/Maildir/cur/x', '')
  files.put('/spool/bob', '')
  const to = ['Bob+x@h.users.test', 'carol@h.users.test', 'bob@spool.test', 'bob.lock@spool.test']
  await town.send({ from: 'alice@a.test', to: [...to, '"../../etc/x"@h.users.test'] })
  await town.advance('1 minute')
  assert.equal(files.list('/users/bob/Maildir/new').length, 1)
  assert.match(files.text('/spool/bob') ?? '', /^From alice@a\.test /)
  const rows = (await rowsOf(town)).slice(0, 5)
  assert.deepEqual(
    rows.map(({ state, status }) => `${state} ${status}`),
    ['delivered 2.0.0', 'failed 5.1.1', 'delivered 2.0.0', 'failed 5.1.3', 'failed 5.1.3'],
  )
})

test('a full disk takes nothing, leaves nothing, and is tried again', async () => {
  const town = await aTown('full')
  const { files } = town.server('a.test').host
  files.put('/mail/box', OTHERS)
  files.roomOctets = 300
  await town.send({ from: 'alice@a.test', to: ['box@x.test'], body: 'x'.repeat(2000) })
  await town.advance('30 seconds')
  assert.equal(files.text('/mail/box'), OTHERS)
  assert.match((await rowsOf(town))[0]?.status ?? '', /^4\.3\.1$/)
  files.roomOctets = 1_000_000
  await town.advance('2 minutes')
  assert.equal(messagesIn(files.text('/mail/box') ?? '').length, 2)
})

test('the lock of another is waited for, and broken once it is stale', async () => {
  const town = await aTown('lock')
  const { files } = town.server('a.test').host
  files.put('/mail/box.lock', '1234\n', town.internet.now)
  await town.send({ from: 'alice@a.test', to: ['box@x.test'] })
  await town.advance('1 minute')
  assert.equal(files.text('/mail/box'), undefined)
  assert.equal((await rowsOf(town))[0]?.status, '4.2.0')
  await town.advance('20 minutes')
  assert.equal(messagesIn(files.text('/mail/box') ?? '').length, 1)
  assert.deepEqual(files.list('/mail'), ['/mail/box'])
})

/** Runs a letter to one address with a crash behind the nth step of the files; false where there is none. */
async function crashedAt(seed: string, address: string, n: number) {
  const steps: string[] = []
  const town = await aTown(seed)
  const server = town.server('a.test')
  const { files } = server.host
  files.put('/mail/box', OTHERS)
  files.watch = step => {
    if (steps.push(step) === n) town.later(0, () => server.crash())
  }
  await town.send({ from: 'alice@a.test', to: [address], body: LETTER })
  await town.advance('10 minutes')
  return { town, files, steps }
}

for (const address of ['box@x.test', 'dir@x.test']) {
  test(`a crash at any step leaves one whole message at ${address}`, async () => {
    const { steps: all } = await crashedAt('a', address, 0)
    // From here on it is noted as done, and nobody knows whether that was settled: in doubt it comes twice.
    const done = all.lastIndexOf('file sync') + 1
    for (let n = 1; n <= all.length; n++) {
      for (const seed of ['a', 'b']) {
        const { files, town } = await crashedAt(seed, address, n)
        const told = `step ${n} (${all[n - 1]}), seed ${seed}`
        assert.equal((await rowsOf(town))[0]?.state, 'delivered', told)
        if (address.startsWith('dir')) {
          const paths = files.list('/mail/dir/new')
          assert.equal(paths.length, 1, told)
          assert.ok(files.text(paths[0] ?? '')?.endsWith(QUOTED.replace('>From', 'From')), told)
          continue
        }
        const [others, ...mine] = messagesIn(files.text('/mail/box') ?? '')
        assert.equal(others, OTHERS, told)
        for (const message of mine) assert.ok(message.endsWith(`${QUOTED}\n`), told)
        assert.ok(mine.length === 1 || (n >= done && mine.length === 2), `${told}: ${mine.length}`)
        assert.equal(files.text('/mail/box.lock'), undefined, told)
      }
    }
  })
}

test('a gateway is a program: its arguments, its octets, and its codes', async () => {
  const town = await aTown('pipe')
  const { programs } = town.server('a.test').host
  const runs: string[] = []
  let code = 0
  programs.set('/usr/bin/uux', (argv, input) => {
    runs.push(`${argv.join(' ')}\n${input.toString('latin1')}`)
    return { code, output: code === 0 ? '' : 'no spool\nmore words' }
  })
  await town.send({ from: 'alice@a.test', to: ['bob@node.nje'], body: LETTER })
  await town.advance('1 minute')
  assert.match(
    runs[0] ?? '',
    /^\/usr\/bin\/uux - -aalice@a\.test node!rmail \(bob\)\nFrom alice@a\.test Tue Jan {2}1 \S+ 2030 remote from us\nReceived: /,
  )
  assert.ok(runs[0]?.endsWith(QUOTED.replace('>From', 'From')))
  code = 75
  await town.send({ from: 'alice@a.test', to: ['bob@node.nje'] })
  await town.advance('20 seconds')
  assert.deepEqual(
    (await rowsOf(town)).map(({ state, status }) => `${state} ${status}`),
    ['relayed 2.0.0', 'queued 4.3.0'],
  )
  code = 67
  await town.advance('2 minutes')
  const rows = await rowsOf(town)
  assert.match(rows[1]?.reason ?? '', /EX_NOUSER\): no spool$/)
  assert.equal(rows[1]?.remote, 'pipe:/usr/bin/uux')
  const letters = await town.internet.complete(town.user('alice@a.test').read())
  const notice = letters.map(({ octets }) => Buffer.from(octets).toString()).join('')
  assert.deepEqual(toldOf(notice, 'failed'), ['bob@node.nje'])
  assert.doesNotMatch(notice, /^Remote-MTA/m)
})

test('several recipients at once; a program that takes too long is in doubt', async () => {
  const town = await aTown('all')
  const { programs } = town.server('a.test').host
  const runs: string[] = []
  const to = ['bob@all.nje', '-x@all.nje', 'carol@all.nje']
  programs.set('/usr/bin/all', () => ({ code: 0 }), 30_000)
  await town.send({ from: 'alice@a.test', to })
  await town.advance('30 seconds')
  assert.deepEqual(
    (await rowsOf(town)).slice(0, 3).map(row => row.status),
    ['4.4.7', '5.1.3', '4.4.7'],
  )
  programs.set('/usr/bin/all', argv => {
    runs.push(argv.join(' '))
    return { code: 0 }
  })
  await town.advance('5 minutes')
  assert.deepEqual(runs, ['/usr/bin/all bob@all.nje carol@all.nje'])
})

test('what comes round again by an alias is kept by no program and no file twice, and others have it', async () => {
  const routes: Config['routes'] = [
    { match: { recipient: 'keep@*' }, to: { pipe: { argv: ['/usr/bin/keep'], final: true } } },
    { match: { recipient: 'hand@*' }, to: { pipe: { argv: ['/usr/bin/hand'] } } },
    { match: { recipient: 'box@*' }, to: { mbox: '/mail/box' } },
    { match: { recipient: 'dir@*' }, to: { maildir: '/mail/dir' } },
  ]
  const all = ['keep@x.nje', 'hand@x.nje', 'box@x.nje', 'dir@x.nje', 'dir@y.nje']
  const aliases = { list: all }
  const accounts = ['alice']
  const server = { domain: 'a.test', accounts, aliases, config: { routes } }
  const town = await createTown({ seed: 'round', servers: [server] })
  const { programs } = town.server('a.test').host
  const runs: string[] = []
  for (const argv of ['/usr/bin/keep', '/usr/bin/hand'])
    programs.set(argv, () => ({ code: Math.min(0, runs.push(argv)) }))
  // As a program sends it that has had it, without a login.
  const stranger = town.internet.host({ name: 'stranger.test', addresses: ['203.0.113.9'] })
  const trail = all.filter(to => to !== 'dir@y.nje').map(to => `Delivered-To: ${to.toUpperCase()}`)
  const sender = { reversePath: parseStoredAddress('alice@a.test'), body: '7BIT', utf8: false }
  const sending = sendMail(stranger.world, {
    ...{ host: 'mx.a.test', port: 25, tls: 'never', hostname: 'stranger.test' },
    content: Buffer.from(`${trail.join('\r\n')}\r\nSubject: again\r\n\r\nx\r\n`),
    envelope: {
      sender: sender as Envelope['sender'],
      recipients: [{ forwardPath: parseStoredAddress('list@a.test') }],
    },
  })
  assert.equal((await town.internet.complete(sending)).outcomes[0]?.kind, 'delivered')
  await town.advance('1 minute')
  const rows = await rowsOf(town)
  const told = rows.filter(({ state }) => state !== 'expanded').slice(0, 5)
  assert.deepEqual(
    told.map(({ address, state, status }) => `${address} ${state} ${status}`).sort(),
    [
      'box@x.nje failed 5.4.6',
      'dir@x.nje failed 5.4.6',
      'dir@y.nje delivered 2.0.0',
      'hand@x.nje relayed 2.0.0',
      'keep@x.nje failed 5.4.6',
    ],
  )
  assert.deepEqual(runs, ['/usr/bin/hand'])
  assert.equal(town.server('a.test').host.files.list('/mail').length, 1)
})

test('what may go on only under TLS is given to no program', async () => {
  const town = await aTown('require')
  town.server('a.test').host.programs.set('/usr/bin/all', () => ({ code: 0 }))
  const asks = () => ({ requireTls: true as const })
  await town.send({ from: 'alice@a.test', to: ['bob@all.nje'], asks })
  await town.advance('1 minute')
  assert.deepEqual(
    (await rowsOf(town)).slice(0, 1).map(row => row.status),
    ['5.7.30'],
  )
})

test('a crash while a program runs: it comes again, and twice only where it had done its work', async () => {
  for (const afterMs of [5, 15]) {
    const town = await aTown(`crash ${afterMs}`)
    const server = town.server('a.test')
    let runs = 0
    server.host.programs.set(
      '/usr/bin/all',
      () => {
        runs++
        return { code: 0 }
      },
      1000,
    )
    await town.send({ from: 'alice@a.test', to: ['bob@all.nje'] })
    town.later(afterMs === 5 ? 500 : 1000, () => server.crash())
    await town.advance('5 minutes')
    assert.equal((await rowsOf(town))[0]?.state, 'relayed')
    assert.ok(runs === 1 || (runs === 2 && afterMs === 15), `${runs} runs`)
  }
})
