/**
 * An S3-compatible store in memory, for tests: conditional writes, multipart uploads, ranges, listings in
 * pages, signatures checked by making them again; failures, delays and cut answers at will. Loopback only.
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { AwsV4Signer } from 'aws4fetch'

/** What happens to a request instead of, or around, what it asks for. */
export interface Weather {
  /** Answered with this status, and nothing is done. */
  readonly status?: number
  /** Done, and then the connection is cut before the answer. */
  readonly deaf?: boolean
  /** The answer's body breaks off in the middle. */
  readonly torn?: boolean
  readonly delayMs?: number
}

export interface FakeObjectStore {
  readonly endpoint: string
  readonly bucket: string
  readonly accessKey: string
  readonly secretKey: string
  readonly region: string
  readonly objects: Map<string, Stored>
  readonly uploads: Map<string, { key: string; parts: Map<number, Buffer>; at: number }>
  /** 'GET key' and so on, as they came. */
  readonly requests: string[]
  /** Asked for every request. */
  weather: (request: string) => Weather | undefined
  /** All octets it holds. */
  octets(): number
  /** Octets of the largest request so far. */
  largest: number
  /** Nobody listens any more; the objects stay. */
  stop(): Promise<void>
  /** Listens again, on the same port. */
  start(): Promise<void>
}

interface Stored {
  body: Buffer
  at: number
}

interface Asked {
  readonly method: string
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

interface Given {
  readonly status: number
  readonly body?: Buffer | string
  readonly headers?: Record<string, string>
}

export async function startObjectStore(pageSize = 1_000): Promise<FakeObjectStore> {
  const server = createServer((request, response) => {
    void answer(fake, pageSize, request, response).catch(() => response.destroy())
  })
  let port = 0
  const start = async () => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  await start()
  const fake: FakeObjectStore = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'mail',
    accessKey: 'AKFAKE',
    secretKey: 'not-so-secret',
    region: 'eu-test-1',
    objects: new Map(),
    uploads: new Map(),
    requests: [],
    weather: () => undefined,
    largest: 0,
    octets() {
      const parts = [...fake.uploads.values()].flatMap(upload => [...upload.parts.values()])
      const bodies = [...fake.objects.values()].map(({ body }) => body)
      return [...parts, ...bodies].reduce((sum, { length }) => sum + length, 0)
    },
    start,
    async stop() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return fake
}

/** The settings of a server whose bodies are there. */
export function inBucket(fake: FakeObjectStore): Record<string, string> {
  const { endpoint, bucket, region, accessKey, secretKey } = fake
  const s3 = { endpoint, bucket, region, accessKey, secretKey }
  return {
    'bodies.in': 's3',
    ...Object.fromEntries(Object.entries(s3).map(([name, value]) => [`bodies.s3.${name}`, value])),
  }
}

async function answer(
  fake: FakeObjectStore,
  pageSize: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const url = new URL(request.url ?? '/', fake.endpoint)
  const [, bucket, ...path] = decodeURIComponent(url.pathname).split('/')
  const { method = 'GET', headers } = request
  const body = Buffer.concat(chunks)
  const asked = { method, headers, key: path.join('/'), query: url.searchParams, body }
  const line = `${method} ${asked.key}${url.search}`
  fake.requests.push(line)
  fake.largest = Math.max(fake.largest, body.length)
  const weather = fake.weather(line) ?? {}
  if (weather.delayMs !== undefined) await sleep(weather.delayMs)
  const given =
    weather.status !== undefined
      ? error(weather.status, 'SlowDown')
      : bucket !== fake.bucket
        ? error(404, 'NoSuchBucket')
        : ((await forged(fake, url, asked)) ?? done(fake, pageSize, asked))
  if (weather.deaf) return void response.destroy()
  const content = Buffer.from(given.body ?? '')
  response.writeHead(given.status, { 'content-length': String(content.length), ...given.headers })
  if (weather.torn) {
    response.write(content.subarray(0, content.length >> 1))
    await sleep(10)
    return void response.destroy()
  }
  response.end(method === 'HEAD' ? '' : content)
}

/** The signature made again from what arrived; the payload's hash compared with the payload. */
async function forged(fake: FakeObjectStore, url: URL, asked: Asked): Promise<Given | undefined> {
  const { authorization = '' } = asked.headers
  const hash = String(asked.headers['x-amz-content-sha256'])
  const names = /SignedHeaders=([^,]*)/.exec(authorization)?.[1]?.split(';') ?? []
  const signed = names.filter(name => name !== 'host' && name !== 'x-amz-date')
  const signer = new AwsV4Signer({
    method: asked.method,
    url: url.href,
    service: 's3',
    region: fake.region,
    accessKeyId: fake.accessKey,
    secretAccessKey: fake.secretKey,
    datetime: String(asked.headers['x-amz-date']),
    headers: Object.fromEntries(signed.map(name => [name, String(asked.headers[name])])),
  })
  const { headers } = await signer.sign()
  if ((headers as Headers).get('authorization') !== authorization) {
    return error(403, 'SignatureDoesNotMatch')
  }
  const real = createHash('sha256').update(asked.body).digest('hex')
  return real === hash ? undefined : error(400, 'XAmzContentSHA256Mismatch')
}

function done(fake: FakeObjectStore, pageSize: number, asked: Asked): Given {
  const { method, key, query } = asked
  if (key === '' && query.has('uploads')) return uploadsOf(fake)
  if (key === '') return listing(fake, pageSize, query)
  if (method === 'POST' || query.has('uploadId')) return multipart(fake, asked)
  const found = fake.objects.get(key)
  switch (method) {
    case 'PUT':
      return put(fake, asked, asked.body)
    case 'DELETE':
      fake.objects.delete(key)
      return { status: 204 }
    default:
      return found ? sliceOf(found.body, asked.headers.range) : error(404, 'NoSuchKey')
  }
}

function put(fake: FakeObjectStore, { key, headers }: Asked, body: Buffer): Given {
  if (headers['if-none-match'] === '*' && fake.objects.has(key)) {
    return error(412, 'PreconditionFailed')
  }
  fake.objects.set(key, { body, at: Date.now() })
  return { status: 200, headers: { etag: `"${randomBytes(8).toString('hex')}"` } }
}

function sliceOf(body: Buffer, range: string | undefined): Given {
  const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? '')
  if (match === null) return { status: 200, body, headers: { 'content-length': `${body.length}` } }
  const [from, to] = [Number(match[1]), Number(match[2])]
  if (from >= body.length) return error(416, 'InvalidRange')
  return { status: 206, body: body.subarray(from, to + 1) }
}

function multipart(fake: FakeObjectStore, asked: Asked): Given {
  const { method, key, query } = asked
  if (query.has('uploads')) {
    const id = randomBytes(8).toString('hex')
    fake.uploads.set(id, { key, parts: new Map(), at: Date.now() })
    return { status: 200, body: `<R><UploadId>${id}</UploadId></R>` }
  }
  const id = query.get('uploadId') ?? ''
  const upload = fake.uploads.get(id)
  if (upload === undefined) return error(404, 'NoSuchUpload')
  if (method === 'PUT') {
    const number = Number(query.get('partNumber'))
    upload.parts.set(number, asked.body)
    return { status: 200, headers: { etag: `"part${number}"` } }
  }
  if (method === 'DELETE') {
    fake.uploads.delete(id)
    return { status: 204 }
  }
  const numbers = [...asked.body.toString().matchAll(/<PartNumber>(\d+)</g)].map(m => Number(m[1]))
  const parts = numbers.map(number => upload.parts.get(number) ?? Buffer.alloc(0))
  if (parts.slice(0, -1).some(part => part.length < 5 * 1_048_576)) {
    return error(400, 'EntityTooSmall')
  }
  const answered = put(fake, asked, Buffer.concat(parts))
  if (answered.status !== 200) return answered
  fake.uploads.delete(id)
  return { status: 200, body: '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>' }
}

function listing(fake: FakeObjectStore, pageSize: number, query: URLSearchParams): Given {
  const after = query.get('continuation-token') ?? ''
  const keys = [...fake.objects.keys()]
    .filter(key => key.startsWith(query.get('prefix') ?? '') && key > after)
    .sort()
  const page = keys.slice(0, Math.min(pageSize, Number(query.get('max-keys') ?? pageSize)))
  const items = page.map(key => {
    const { body, at } = fake.objects.get(key) as Stored
    const time = new Date(at).toISOString()
    return `<Contents><Key>${key}</Key><LastModified>${time}</LastModified><Size>${body.length}</Size></Contents>`
  })
  const more = page.length < keys.length
  const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
  return { status: 200, body: `<R><IsTruncated>${more}</IsTruncated>${next}${items.join('')}</R>` }
}

function uploadsOf(fake: FakeObjectStore): Given {
  const items = [...fake.uploads].map(([id, { key, at }]) => {
    const time = new Date(at).toISOString()
    return `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${time}</Initiated></Upload>`
  })
  return { status: 200, body: `<R><IsTruncated>false</IsTruncated>${items.join('')}</R>` }
}

function error(status: number, code: string): Given {
  return { status, body: `<Error><Code>${code}</Code></Error>` }
}
