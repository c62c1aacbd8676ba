import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import type { LoginAnswer, SaslResult, ScramVerifier } from './mechanism.ts'
import { scramServer } from './scram.ts'
import { ITERATIONS_MAX, scramClient } from './scram-client.ts'
import { clientProof, formatVerifier, parseVerifier, sha256, verifierOf } from './scram-keys.ts'
import {
  formatName,
  parseClientFinal,
  parseClientFirst,
  parseServerFirst,
} from './scram-message.ts'
import { clientContext, serverContext, stretching, stretchNow } from './scripted.ts'

// The exchange of RFC 7677 §3.
const clientNonce = 'rOprNGfwEbeRWgbNEkqO'
const serverNonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const clientFirst = `n,,n=user,r=${clientNonce}`
const serverFirst = `r=${clientNonce}${serverNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`
const withoutProof = `c=biws,r=${clientNonce}${serverNonce}`
const clientFinal = `${withoutProof},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`
const serverFinal = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='

const verifier: ScramVerifier = verifierOf(
  sha256,
  pbkdf2Sync('pencil', salt, 4096, 32, 'sha256'),
  salt,
  4096,
)
const account = { id: 1, address: 'user@example.org' }
const server = scramServer(sha256, 'unbound', () => serverNonce)
const scramSha256Client = scramClient(sha256, 'unbound')
const chance = (octets: number) => Buffer.from(clientNonce, 'base64').subarray(0, octets)
const text = (octets: unknown) => Buffer.from(octets as Uint8Array).toString()

interface Run {
  readonly result: SaslResult
  readonly said: readonly string[]
}

function run(
  sent: readonly (string | undefined)[],
  answers: readonly LoginAnswer[] = [
    { kind: 'verifier', verifier },
    { kind: 'account', account },
  ],
): Run {
  const inputs = sent.map(item => (item === undefined ? undefined : Buffer.from(item)))
  const left = [...answers]
  const said: string[] = []
  const exchange = server.start(inputs.shift(), serverContext({ chance }))
  let step = exchange.next()
  while (!step.done) {
    if (step.value.kind === 'challenge') {
      said.push(text(step.value.octets))
      step = exchange.next(inputs.shift() ?? new Uint8Array(0))
    } else {
      const { question } = step.value
      said.push(`? ${question.kind} ${question.username}`)
      if (question.kind === 'proven') said.push(`as ${question.authorize}`)
      step = exchange.next(left.shift() as LoginAnswer)
    }
  }
  return { result: step.value, said }
}

const reason = ({ result }: Run) => (result.kind === 'failed' ? result.reason : result.kind)

test('the server side speaks the exchange of RFC 7677', () => {
  const { result, said } = run([clientFirst, clientFinal])
  assert.deepEqual(said, ['? scram user', serverFirst, '? proven user', 'as '])
  assert.deepEqual(result, { kind: 'done', account, final: Buffer.from(serverFinal) })
})

test('the client side speaks the exchange of RFC 7677', () => {
  const exchange = stretching(
    scramSha256Client.start({ username: 'user', password: 'pencil' }, clientContext({ chance })),
  )
  assert.equal(text(exchange.next().value), clientFirst)
  assert.equal(text(exchange.next(Buffer.from(serverFirst)).value), clientFinal)
  assert.deepEqual(exchange.next(Buffer.from(serverFinal)), { done: true, value: true })
})

test('without an initial response the server sends an empty challenge first', () => {
  const { result, said } = run([undefined, clientFirst, clientFinal])
  assert.equal(said[0], '')
  assert.equal(result.kind, 'done')
})

test('a client that could bind channels logs in too', () => {
  const salted = pbkdf2Sync('pencil', salt, 4096, 32, 'sha256')
  const boundProof = withoutProof.replace('biws', Buffer.from('y,,').toString('base64'))
  const authMessage = `${clientFirst.slice(3)},${serverFirst},${boundProof}`
  const proof = Buffer.from(clientProof(sha256, salted, authMessage)).toString('base64')
  const { result } = run([clientFirst.replace('n,,', 'y,,'), `${boundProof},p=${proof}`])
  assert.equal(result.kind, 'done')
})

test('a proof over another nonce is denied, though its maker knows the password', () => {
  const salted = pbkdf2Sync('pencil', salt, 4096, 32, 'sha256')
  const replayed = withoutProof.replace('k0', 'k1')
  const authMessage = `${clientFirst.slice(3)},${serverFirst},${replayed}`
  const proof = Buffer.from(clientProof(sha256, salted, authMessage)).toString('base64')
  assert.equal(reason(run([clientFirst, `${replayed},p=${proof}`])), 'denied')
})

test('an altered exchange is denied', () => {
  for (const [first, final] of [
    [clientFirst, clientFinal.replace('p=d', 'p=e')],
    [clientFirst, clientFinal.replace('c=biws', 'c=eSws')],
    [clientFirst, clientFinal.replace('k0', 'k1')],
    [clientFirst, clientFinal.replace(serverNonce, '')],
    [clientFirst.replace('user', 'usor'), clientFinal],
    [clientFirst.replace('n,,', 'n,a=other,'), clientFinal],
    ['p=tls-exporter,,n=user,r=abc', clientFinal],
    ['n,,n=\u0007,r=abc', clientFinal],
  ]) {
    assert.equal(reason(run([first, final])), 'denied', `${first} ${final}`)
  }
})

test('what is not a message of SCRAM is malformed', () => {
  const firsts = [
    '',
    'n',
    'n,',
    'n,,',
    'n,,n=user',
    'n,,r=abc,n=user',
    'n,,n=,r=abc',
    'n,,n=user,r=',
    'n,,n=user,r=a\u00e4',
    'n,,n=user,r=a b',
    'n,,m=x,n=user,r=abc',
    'n,,n=user,r=abc,m=x',
    'n,,n=user,r=abc,x',
    'n,,n=user,r=abc,',
    'n,,n=us=er,r=abc',
    'n,,n=us=2cer,r=abc',
    'n,,n=user=,r=abc',
    'n,x=other,n=user,r=abc',
    'n,a=,n=user,r=abc',
    'n=user,r=abc',
    'N,,n=user,r=abc',
    'p=,,n=user,r=abc',
    'p=tls unique,,n=user,r=abc',
    'q,,n=user,r=abc',
    'n,,n=us\0er,r=abc',
  ]
  for (const first of firsts) assert.equal(reason(run([first, clientFinal])), 'malformed', first)
  const finals = [
    '',
    withoutProof,
    'c=biws,p=AAAA',
    `${withoutProof},p=`,
    `${withoutProof},p=AAAA`,
    `${clientFinal},x=y`,
    clientFinal.replace('p=', 'q='),
    clientFinal.replace('biws', 'biw'),
    clientFinal.replace('biws', ''),
    clientFinal.replace('AndVQ=', 'AndVQ'),
    clientFinal.replace('AndVQ=', 'AndVR='),
    clientFinal.replace(',p=', ',m=x,p='),
    clientFinal.replace(',p=', ', ,p='),
  ]
  for (const final of finals) assert.equal(reason(run([clientFirst, final])), 'malformed', final)
})

test('a made-up verifier is never proven, whatever the proof', () => {
  const madeUp: LoginAnswer = { kind: 'verifier', verifier: { ...verifier, genuine: false } }
  const { result, said } = run([clientFirst, clientFinal], [madeUp])
  assert.equal(result.kind === 'failed' && result.reason, 'denied')
  assert.equal(said.length, 2)
})

test('names carry commas and equals signs, and an identity to act as', () => {
  const name = 'a,b=c=2C'
  assert.equal(formatName(name), 'a=2Cb=3Dc=3D2C')
  const first = parseClientFirst(`y,a=${formatName('x,y')},n=${formatName(name)},r=abc,x=y`)
  assert.deepEqual(first, {
    gs2Header: 'y,a=x=2Cy,',
    binding: 'y',
    bindingName: '',
    authzid: 'x,y',
    username: name,
    nonce: 'abc',
    bare: 'n=a=2Cb=3Dc=3D2C,r=abc,x=y',
  })
  assert.equal(parseClientFirst('p=tls-exporter,,n=user,r=abc')?.bindingName, 'tls-exporter')
})

test('unknown extensions are read over', () => {
  assert.equal(parseServerFirst('r=abc,s=QUJD,i=4096,x=y')?.iterations, 4096)
  assert.equal(parseClientFinal('c=biws,r=abc,x=y,p=QUJD')?.withoutProof, 'c=biws,r=abc,x=y')
})

test('the client gives up on a server that is not what it seems', () => {
  const start = () => {
    const login = { username: 'user', password: 'pencil' }
    const exchange = stretching(scramSha256Client.start(login, clientContext({ chance })))
    exchange.next()
    return exchange
  }
  for (const first of [
    '',
    'e=other-error',
    serverFirst.replace('rOpr', 'xOpr'),
    serverFirst.replace(serverNonce, ''),
    serverFirst.replace('4096', '1'),
    serverFirst.replace('4096', String(ITERATIONS_MAX + 1)),
    serverFirst.replace('4096', '2000000000'),
    serverFirst.replace('4096', '0'),
    serverFirst.replace('i=4096', 'i=4096,m=x'),
    `m=x,${serverFirst}`,
    serverFirst.replace('s=W22Z', 's=W22'),
  ]) {
    assert.deepEqual(start().next(Buffer.from(first)), { done: true, value: false }, first)
  }
  for (const final of ['', 'e=invalid-proof', serverFinal.replace('6', '7'), 'v=6rri', 'v=']) {
    const exchange = start()
    exchange.next(Buffer.from(serverFirst))
    assert.deepEqual(exchange.next(Buffer.from(final)), { done: true, value: false }, final)
  }
})

test('the password is stretched by whoever holds the session, and once for a salt', () => {
  const login = { username: 'user', password: 'an other' }
  const first = Buffer.from(serverFirst)
  const kinds = [1, 2].map(() => {
    const exchange = scramSha256Client.start(login, clientContext({ chance }))
    exchange.next()
    const asked = exchange.next(first).value
    if (asked instanceof Uint8Array) return 'said'
    assert.ok(typeof asked === 'object' && asked.kind === 'stretch')
    assert.deepEqual([asked.iterations, asked.octets, asked.hash], [4096, 32, 'sha256'])
    assert.ok(exchange.next(stretchNow(asked)).value instanceof Uint8Array)
    return asked.kind
  })
  assert.deepEqual(kinds, ['stretch', 'said'])
  const unheard = scramSha256Client.start({ ...login, password: 'x' }, clientContext({ chance }))
  unheard.next()
  unheard.next(first)
  const given = unheard.next({ kind: 'unavailable', why: '' })
  assert.equal(given.done && typeof given.value, 'string')
})

test('both sides meet, with an identity to act as and a password that must be prepared', () => {
  const prepared = verifierOf(sha256, pbkdf2Sync('IX \u00e4', salt, 4096, 32, 'sha256'), salt, 4096)
  const credentials = { username: 'a,b', password: '\u2168\u00a0a\u0308', authorize: 'a=b' }
  const client = stretching(scramSha256Client.start(credentials, clientContext({ chance })))
  const exchange = server.start(client.next().value as Uint8Array, serverContext())
  assert.equal(exchange.next().value !== undefined, true)
  const challenge = exchange.next({ kind: 'verifier', verifier: prepared }).value
  assert.ok(challenge !== undefined && 'octets' in challenge)
  const asked = exchange.next(client.next(challenge.octets).value as Uint8Array).value
  assert.deepEqual(asked, {
    kind: 'ask',
    question: { kind: 'proven', mechanism: 'SCRAM-SHA-256', username: 'a,b', authorize: 'a=b' },
  })
  const end = exchange.next({ kind: 'account', account }).value
  assert.ok(end !== undefined && 'final' in end)
  assert.deepEqual(client.next(end.final as Uint8Array), { done: true, value: true })
})

test('a verifier survives its written form, and damage to that form is seen', () => {
  const written = formatVerifier(sha256, verifier)
  assert.match(written, /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$[^:$]{44}:[^:$]{44}$/)
  assert.deepEqual(parseVerifier(sha256, written), verifier)
  for (const damaged of [
    '',
    written.slice(0, -1),
    `${written}$`,
    written.replace('SCRAM-SHA-256', 'SCRAM-SHA-1'),
    written.replace('4096', '0'),
    written.replace('W22ZaJ0SNY7soEsUEjb6gQ==', ''),
    written.replace('$4096:', '$4096'),
  ]) {
    assert.equal(parseVerifier(sha256, damaged), undefined, damaged)
  }
})
